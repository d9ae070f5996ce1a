"""Photos of honours: made plain on the way in, shown to those who may see them, for as long as they may."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from services.gateway.pictures import LARGEST, LARGEST_FORM, LARGEST_UPLOAD, Fault, Refused, plain
from services.incentives.domain.pictures import fault_of
from tests.gateway.conftest import token_in
from tests.pictures import SECRET, drawn, opened, telling, written

AsLogin = Callable[..., FlaskClient]
# The demo's people of Beijing: who shows a photo, who works beside them; and somebody elsewhere.
HONOURED, COLLEAGUE, HR, ELSEWHERE = "sun.haoran", "wang.ruoyu", "gu.wenjing", "lin.zihan"


def _photo_in(page: str) -> str:
    """The address of the photo on a page, empty where there is none."""
    found = re.search(r'<img class="photo" src="([^"]+)" alt="[^"]+', page)
    return found[1] if found else ""


class Own:
    """The honoured person's page."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        page = client.get("/honours").text
        self.address = re.search(r'action="(/honours/[^"]+/answer)"', page)[1]  # type: ignore[index]
        self.photo = self.address.replace("/answer", "/photo")
        self.token = token_in(page)

    def send(self, photo: bytes | None = None, **form: str) -> TestResponse:
        sent: dict[str, Any] = {"csrf_token": self.token, "consent": "story", "story": "多打一个电话", **form}
        if photo is not None:
            sent["photo"] = FileStorage(io.BytesIO(photo), "me.jpg", content_type="image/svg+xml")
        boundary, body = encode_multipart(sent)
        return self.client.post(
            self.address, data=body, content_type=f'multipart/form-data; boundary="{boundary}"'
        )


@pytest.fixture
def own(as_login: AsLogin) -> Own:
    return Own(as_login(HONOURED))


def test_colleagues_see_the_photo_with_the_name_and_nobody_elsewhere_does(
    as_login: AsLogin, own: Own, visitor: FlaskClient
) -> None:
    assert own.send(drawn(), show_photo="yes").status_code == 303
    for login in (COLLEAGUE, HR, HONOURED):
        client = as_login(login)
        page = client.get("/boards?node=beijing").text
        assert _photo_in(page) == own.photo
        assert 'alt="孙浩然的照片"' in page.replace("\u2009", "")
        answer = client.get(own.photo)
        assert (answer.status_code, answer.content_type) == (200, "image/jpeg")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert fault_of(answer.data) == ""
    assert as_login(ELSEWHERE).get(own.photo).status_code == 404
    assert "/sign-in" in visitor.get(own.photo).location


def test_a_copy_in_a_browser_ends_with_the_consent(as_login: AsLogin, own: Own) -> None:
    own.send(drawn(), show_photo="yes")
    colleague = as_login(COLLEAGUE)
    etag = colleague.get(own.photo).headers["ETag"]
    again = colleague.get(own.photo, headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    own.send(drawn(colour="navy"), show_photo="yes")
    assert colleague.get(own.photo, headers={"If-None-Match": f"W/{etag}"}).status_code == 200
    etag = colleague.get(own.photo).headers["ETag"]
    assert own.send().status_code == 303
    assert colleague.get(own.photo, headers={"If-None-Match": etag}).status_code == 404
    assert _photo_in(colleague.get("/boards?node=beijing").text) == ""
    assert own.client.get(own.photo).status_code == 200
    gone = own.send(drawn(), show_photo="yes", remove_photo="yes")
    assert gone.status_code == 303
    assert "你的照片已删除" in own.client.get("/honours").text
    assert own.client.get(own.photo, headers={"If-None-Match": etag}).status_code == 404


@pytest.mark.parametrize(
    ("photo", "said"),
    [
        (drawn() + bytes(LARGEST_UPLOAD), "超过"),
        (b"GIF89a", "无法读取"),
        (b"", "无法读取"),
        (drawn((4_001, 3_000), kind="PNG"), "像素太多"),
        (None, "请选择一张要展示的照片"),
    ],
)
def test_a_photo_that_is_not_taken_keeps_what_was_typed_and_says_what_to_do(
    own: Own, photo: bytes | None, said: str
) -> None:
    own.send(remove_photo="yes")
    refused = own.send(photo, story="第一次拿到荣誉", show_photo="yes")
    assert refused.status_code in (400, 422)
    page = refused.text.replace("\u2009", "")
    assert said in page
    assert "第一次拿到荣誉" in page
    assert 'name="show_photo" value="yes" checked' in page
    assert own.client.get(own.photo).status_code == 404
    assert "第一次拿到荣誉" not in own.client.get("/honours").text


def test_a_good_photo_in_a_refused_form_is_asked_for_again(own: Own) -> None:
    refused = own.send(drawn(), story=" ")
    assert refused.status_code == 422
    assert "照片没有保存，请重新选择" in refused.text


def test_more_than_a_form_may_hold_is_not_read_and_other_forms_take_no_more_than_before(own: Own) -> None:
    assert own.send(bytes(LARGEST_FORM + 1)).status_code == 413
    profile = own.client.post("/profile", data={"csrf_token": own.token, "x": "x" * 2**21})
    assert profile.status_code in (405, 413)
    assert own.send(drawn(), csrf_token="made-up").status_code == 400


# What becomes of the bytes.


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_turned_upright_made_small_and_says_nothing_more(kind: str) -> None:
    exif = telling()
    more: dict[str, Any] = {"comment": SECRET} if kind == "JPEG" else {}
    sent = drawn((2000, 1000), kind=kind, exif=exif, icc_profile=SECRET.encode() * 9, **more)
    assert SECRET.encode() in sent or kind == "PNG"
    made = plain(sent)
    assert SECRET.encode() not in made
    picture = opened(made)
    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (512, 1024))
    # Its top left corner is at the top right, once it stands.
    corner, other = picture.getpixel((480, 30)), picture.getpixel((30, 30))
    assert isinstance(corner, tuple)
    assert isinstance(other, tuple)
    assert corner[0] > 200
    assert other[0] < 60
    assert not picture.getexif()
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *(("JPEG", mode) for mode in ("L", "RGB", "CMYK")),
        *(("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
        *(("WEBP", mode) for mode in ("RGB", "RGBA")),
    ],
)
def test_however_a_still_picture_keeps_its_colours_it_is_taken(kind: str, mode: str) -> None:
    assert fault_of(plain(written(Image.new(mode, (30, 900)), kind))) == ""


def test_what_is_transparent_is_white() -> None:
    clear = opened(plain(written(Image.new("RGBA", (9, 9), (0, 0, 0, 0)), "PNG")))
    assert clear.getpixel((4, 4)) == (255, 255, 255)


def test_noise_fits_as_well() -> None:
    noise = Image.effect_noise((1024, 1024), 200)
    made = plain(written(Image.merge("RGB", [noise] * 3), "PNG"))
    assert len(made) <= LARGEST


def test_pictures_that_a_phone_keeps_beside_the_photo_are_left_out() -> None:
    sent = written(
        Image.new("RGB", (40, 30), "teal"), "MPO", save_all=True, append_images=[Image.new("RGB", (40, 30))]
    )
    assert opened(plain(sent)).getpixel((20, 15)) != (0, 0, 0)


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        (b"", Fault.UNREADABLE),
        (b"\xff\xd8\xff", Fault.UNREADABLE),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', Fault.UNREADABLE),
        (drawn(kind="GIF"), Fault.UNREADABLE),
        (drawn(kind="BMP"), Fault.UNREADABLE),
        (drawn(kind="TIFF"), Fault.UNREADABLE),
        (drawn((300, 200))[:-200], Fault.UNREADABLE),
        # A few kilobytes that would be hundreds of megabytes.
        (written(Image.new("1", (20_000, 20_000)), "PNG"), Fault.TOO_WIDE),
        (written(Image.new("L", (9_000, 6_000)), "JPEG"), Fault.TOO_WIDE),
        (drawn(kind="PNG", save_all=True, append_images=[Image.new("RGB", (60, 40))]), Fault.MOVES),
        (drawn(kind="WEBP", save_all=True, append_images=[Image.new("RGB", (60, 40))]), Fault.MOVES),
        (drawn() + bytes(LARGEST_UPLOAD), Fault.TOO_LARGE),
    ],
)
def test_what_is_no_still_photo_within_bounds_is_refused(sent: bytes, fault: Fault) -> None:
    with pytest.raises(Refused) as refused:
        plain(sent)
    assert refused.value.fault is fault


_SOUND = [drawn(kind=kind, exif=telling()) for kind in ("JPEG", "PNG", "WEBP")]


@given(
    sound=st.sampled_from(_SOUND),
    at=st.integers(0, 900),
    instead=st.binary(max_size=40),
    torn=st.integers(0, 60),
)
def test_any_bytes_are_refused_or_become_a_picture_within_bounds_that_says_nothing_more(
    sound: bytes, at: int, instead: bytes, torn: int
) -> None:
    for sent in (instead, sound[:at] + instead + sound[at + torn :]):
        try:
            made = plain(sent)
        except Refused:
            continue
        assert fault_of(made) == ""
        assert SECRET.encode() not in made
        picture = opened(made)
        assert max(picture.size) <= 1024
        assert not picture.getexif()
