"""Photos of honours: the honoured person's to give, show and take away; gone when the honour is."""

from typing import Any

import grpc
import pytest
from foothold.incentives.v1 import honours_pb2
from hypothesis import given
from hypothesis import strategies as st

from access import Replica
from chassis.errors import from_rpc_error
from services.incentives.catalogue import Catalogue
from services.incentives.domain.pictures import LARGEST, fault_of
from services.incentives.photo_keeping import forget_photos
from tests.incentives.company import Company, person, reason_of, request_id
from tests.incentives.test_honours import Honour, Race
from tests.pictures import drawn, telling

PLAIN = drawn()


class Shown:
    """An honour that is confirmed, its person, a colleague, and who confirmed it."""

    def __init__(self, company: Company) -> None:
        self.race = Race(company, 30, 20, 10)
        self.person, self.colleague, _ = self.race.people
        self.id = self.race.confirm(self.person).id

    def answer(self, who: str = "", consent: str = "NAME", **more: Any) -> honours_pb2.Honour:
        asked = honours_pb2.AnswerHonourRequest(
            request_id=request_id(),
            honour_id=self.id,
            consent=Honour.Consent.Value(f"CONSENT_{consent}"),
            story="多打一个电话",
            **more,
        )
        return self.race.as_(who or self.person).honours.AnswerHonour(asked).honour

    def photo(self, who: str, etag: str = "") -> honours_pb2.GetHonourPhotoResponse:
        asked = honours_pb2.GetHonourPhotoRequest(honour_id=self.id, etag=etag)
        return self.race.as_(who).honours.GetHonourPhoto(asked)

    def hidden_from(self, *others: str, etag: str = "") -> bool:
        """Whether none of them sees it, in a list or by itself."""
        listed = [each.photo_etag for who in others for each in self.race.listed(who)]
        return not any(listed) and all(
            reason_of(lambda who=who: self.photo(who, etag)) == "PHOTO_UNKNOWN"  # type: ignore[misc]
            for who in others
        )

    @property
    def others(self) -> tuple[str, str]:
        return self.colleague, "shanghai-hr"


@pytest.fixture
def shown(company: Company) -> Shown:
    return Shown(company)


def _tidy(company: Company) -> int:
    (replica,) = (each for each in company.server._service.background if isinstance(each, Replica))
    with company.database.begin() as connection:
        return forget_photos(Catalogue(), replica.directory)(connection)


def _photos(company: Company, honour_id: str) -> int:
    with company.database.read() as connection:
        found = connection.exec_driver_sql(
            "SELECT count(*) FROM honour_photo WHERE honour_id = %(id)s", {"id": honour_id}
        )
        return int(found.scalar_one())


def test_nobody_sees_a_photo_before_its_person_says_so_and_not_after_they_take_it_back(shown: Shown) -> None:
    kept = shown.answer(photo=PLAIN)
    assert (bool(kept.photo_etag), kept.photo_shown) == (True, False)
    assert shown.photo(shown.person).photo == PLAIN
    assert shown.hidden_from(*shown.others)
    shown.answer(show_photo=True)
    for who in shown.others:
        (listed,) = shown.race.listed(who)
        assert (listed.photo_etag, listed.photo_shown) == (kept.photo_etag, False)
        assert shown.photo(who) == honours_pb2.GetHonourPhotoResponse(photo=PLAIN, etag=kept.photo_etag)
        assert shown.photo(who, kept.photo_etag).photo == b"", "whoever has it is not sent it again"
    assert reason_of(lambda: shown.photo("zhao")) == "PHOTO_UNKNOWN", "it is the other branch's"
    shown.answer()
    # A copy does not open it again.
    assert shown.hidden_from(*shown.others, etag=kept.photo_etag)
    shown.answer(consent="NOTHING", show_photo=True)
    assert shown.hidden_from(*shown.others), "no photo without the name"


def test_another_photo_takes_its_place_and_deleting_leaves_nothing(company: Company, shown: Shown) -> None:
    first = shown.answer(photo=PLAIN, show_photo=True).photo_etag
    other = drawn(colour="navy")
    second = shown.answer(photo=other, show_photo=True).photo_etag
    assert first != second
    assert shown.photo(shown.colleague, first).photo == other
    assert _photos(company, shown.id) == 1
    gone = shown.answer(remove_photo=True)
    assert (gone.photo_etag, gone.photo_shown) == ("", False)
    assert _photos(company, shown.id) == 0
    assert shown.hidden_from(shown.person, *shown.others, etag=second)
    # What was said about the one before says nothing about the next.
    shown.answer(photo=PLAIN)
    assert shown.hidden_from(*shown.others)


def test_only_the_honoured_person_gives_one_and_shows_only_what_there_is(shown: Shown) -> None:
    assert reason_of(lambda: shown.answer(shown.colleague, photo=PLAIN)) == "HONOUR_UNKNOWN"
    assert reason_of(lambda: shown.answer("shanghai-hr", photo=PLAIN)) == "PERMISSION_MISSING"
    assert _refused(lambda: shown.answer(show_photo=True)) == {"show_photo"}
    assert _refused(lambda: shown.answer(photo=PLAIN, remove_photo=True)) == {"remove_photo"}
    assert _refused(lambda: shown.answer(photo=b"<svg onload=alert(1)>")) == {"photo"}
    assert _refused(lambda: shown.answer(photo=drawn(exif=telling()))) == {"photo"}
    assert shown.hidden_from(shown.person)


def test_a_photo_goes_with_its_honour(company: Company, shown: Shown) -> None:
    shown.answer(photo=PLAIN, show_photo=True)
    assert _tidy(company) == 0
    shown.race.followed(shown.person, 3)
    assert shown.hidden_from(*shown.others), "at once"
    assert reason_of(lambda: shown.answer(photo=PLAIN)) == "HONOUR_WITHDRAWN"
    assert shown.photo(shown.person).photo == PLAIN
    assert _tidy(company) == 1
    assert _photos(company, shown.id) == 0
    shown.race.followed(shown.person, 30)
    # The honour is back; what was shown is not.
    assert shown.hidden_from(shown.person, *shown.others)
    shown.answer(photo=PLAIN)
    assert shown.hidden_from(*shown.others)


def test_a_photo_goes_with_its_person(company: Company, shown: Shown) -> None:
    shown.answer(photo=PLAIN, show_photo=True)
    role = f"runner{shown.person.split('-')[1]}"
    company.tell(person_changed=person(shown.person, "shanghai-sales", role, dismissed=True))
    company.settle()
    assert shown.hidden_from(*shown.others), "at once"
    assert _tidy(company) == 1
    assert _photos(company, shown.id) == 0


def _refused(call: object) -> set[str]:
    with pytest.raises(grpc.RpcError) as caught:
        call()  # type: ignore[operator]
    return set(from_rpc_error(caught.value).fields)


# What may be kept, by its bytes alone.


def _segment(kind: int, content: bytes) -> bytes:
    return bytes((0xFF, kind)) + (len(content) + 2).to_bytes(2) + content


def test_a_small_plain_jpeg_may_be_kept_and_one_pixel_too_many_may_not() -> None:
    assert fault_of(drawn((1024, 1024))) == ""
    assert fault_of(drawn((1025, 8))) == fault_of(drawn((8, 1025))) == "must be 1 to 1024 pixels each way"
    assert fault_of(PLAIN + b"\0" * LARGEST) == f"must be at most {LARGEST} bytes"
    for other in (drawn(kind="PNG"), drawn(kind="WEBP"), drawn(kind="GIF"), b"", b"\xff\xd8"):
        assert fault_of(other)
    assert fault_of(drawn(progressive=True))


@given(kind=st.sampled_from([*range(0xE1, 0xF0), 0xFE]), content=st.binary(max_size=50))
def test_whatever_a_jpeg_says_beside_its_picture_is_refused(kind: int, content: bytes) -> None:
    assert fault_of(PLAIN[:2] + _segment(kind, content) + PLAIN[2:]) != ""
    assert fault_of(PLAIN[:20] + _segment(kind, content) + PLAIN[20:]) != ""


@given(more=st.binary(min_size=1, max_size=50))
def test_nothing_comes_after_the_picture(more: bytes) -> None:
    assert fault_of(PLAIN + more) != ""
    assert fault_of(PLAIN + more + b"\xff\xd9") != ""


@given(bytes_=st.binary(max_size=300), at=st.integers(0, len(PLAIN)), torn=st.integers(0, 300))
def test_any_bytes_get_an_answer(bytes_: bytes, at: int, torn: int) -> None:
    for spoilt in (bytes_, b"\xff\xd8" + bytes_, PLAIN[:at] + bytes_ + PLAIN[at + torn :], PLAIN[:at]):
        assert isinstance(fault_of(spoilt), str)
    assert at == len(PLAIN) or fault_of(PLAIN[:at]) != ""
