"""The whole platform as its users start it, with the demo enterprise, and who works with it in a benchmark."""

import http.client
import itertools
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit

from foothold.goals.v1 import facts_pb2, facts_pb2_grpc, progress_pb2, progress_pb2_grpc
from google.protobuf.timestamp_pb2 import Timestamp

from launcher.demo.accounts import ACCOUNTS, PASSWORD
from tests.platform import Platform, running_platform

BATCH: Final = 500
_TOKEN: Final = re.compile(r'name="csrf_token" value="([^"]+)"')
_FOUND: Final = 303
_numbers = itertools.count(1)


@contextmanager
def platform(environ: Mapping[str, str] | None = None, *, web: bool = True) -> Iterator[Platform]:
    """A process per service, on a folder of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="foothold-bench-") as folder,
        running_platform(Path(folder), split=True, demo=True, web=web, environ=environ) as running,
    ):
        yield running


class Crm:
    """Tells goals facts, never the same twice, about the demo's newcomers."""

    def __init__(self, running: Platform) -> None:
        self._stub = facts_pb2_grpc.FactsServiceStub(running.channel("goals"))
        self._progress = progress_pb2_grpc.ProgressServiceStub(running.channel("goals"))
        self.newcomers = [account.login.replace(".", "-") for account in ACCOUNTS[:4]]

    def fact(self, person_id: str, kind: facts_pb2.FactKind.ValueType) -> facts_pb2.Fact:
        return facts_pb2.Fact(
            source="bench",
            external_id=f"E-{next(_numbers):09}",
            kind=kind,
            person_id=person_id,
            occurred_at=Timestamp(seconds=int(time.time())),
            minutes=5,
        )

    def one(self, person_id: str) -> None:
        fact = self.fact(person_id, facts_pb2.FACT_KIND_EMAIL)
        self._stub.RecordFact(facts_pb2.RecordFactRequest(fact=fact))

    def follow_up(self, person_id: str) -> None:
        """Of a customer nobody followed up before."""
        fact = self.fact(person_id, facts_pb2.FACT_KIND_FOLLOW_UP)
        fact.customer = f"customer of {fact.external_id}"
        self._stub.RecordFact(facts_pb2.RecordFactRequest(fact=fact))

    def batch(self, size: int = BATCH) -> None:
        """For all newcomers but the first, who is left to be watched."""
        others = self.newcomers[1:]
        kinds = (facts_pb2.FACT_KIND_EMAIL, facts_pb2.FACT_KIND_MEETING)
        told = [self.fact(others[n % len(others)], kinds[n % len(kinds)]) for n in range(size)]
        results = self._stub.RecordFacts(facts_pb2.RecordFactsRequest(facts=told)).results
        assert all(each.outcome == facts_pb2.FACT_OUTCOME_RECORDED for each in results), results[:2]

    def dashboard(self, person_id: str) -> None:
        self._progress.GetProgress(progress_pb2.GetProgressRequest(person_id=person_id))


class Browser:
    """A signed-in person's browser, as far as fetching pages goes: one connection, kept open."""

    def __init__(self, running: Platform, login: str) -> None:
        where = urlsplit(running.web)
        self._connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
        self._cookies: dict[str, str] = {}
        _, page = self._ask("GET", "/sign-in")
        csrf = _TOKEN.search(page.decode())
        assert csrf, page[:500]
        form = {"login": login, "password": PASSWORD, "csrf_token": csrf[1]}
        status, page = self._ask("POST", "/sign-in", urlencode(form))
        assert status in {302, _FOUND}, (status, page[:500])

    def get(self, path: str) -> int:
        """The page's size in bytes."""
        status, page = self._ask("GET", path)
        assert status == http.client.OK, (path, status, page[:300])
        return len(page)

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                cookie, _, content = value.split(";", 1)[0].partition("=")
                self._cookies[cookie] = content
        return answer.status, answer.read()

    def close(self) -> None:
        self._connection.close()
