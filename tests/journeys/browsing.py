"""People with open pages who are not looked at: signed in through the form, listening, without a browser each."""

import contextlib
import html
import http.client
import re
import socket
import threading
import urllib.parse
from collections.abc import Iterator
from typing import Final, Self

from foothold.identity.v1 import directory_pb2, directory_pb2_grpc

from tests.platform import Platform

_TOKEN: Final = re.compile(r'name="csrf_token" value="([^"]+)"')
_WATCH: Final = re.compile(r'data-watch="([^"]+)"')
_COOKIE: Final = re.compile(r"([^=;]+)=([^;]*)")


def followed(text: str) -> int:
    """A count as it stands on the page."""
    found = re.search(r"[\d,]+", text)
    return int(found[0].replace(",", "")) if found else 0


class Visitor:
    """One person's browser, as far as HTTP goes."""

    def __init__(self, web: str) -> None:
        self._host = urllib.parse.urlsplit(web).netloc
        self._cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> str:
        connection = http.client.HTTPConnection(self._host, timeout=30)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urllib.parse.urlencode(form) if form else None, headers)
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or []:
            if found := _COOKIE.match(line):
                self._cookies[found[1]] = found[2]
        text = answer.read().decode()
        connection.close()
        return text

    def sign_in(self, login: str, password: str) -> None:
        found = _TOKEN.search(self.ask("GET", "/sign-in"))
        assert found
        form = {"csrf_token": html.unescape(found[1]), "login": login, "password": password}
        self.ask("POST", "/sign-in", form)

    def listen(self) -> http.client.HTTPConnection:
        """The connection of an open page of theirs."""
        found = _WATCH.search(self.ask("GET", "/today"))
        assert found
        connection = http.client.HTTPConnection(self._host, timeout=60)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        connection.request("GET", "/live?watch=" + urllib.parse.quote(html.unescape(found[1])), None, headers)
        return connection


class LivePages:
    """Open pages that behave as real ones do: they listen, and fetch again what they are told has changed."""

    def __init__(self, platform: Platform, logins: list[str], password: str) -> None:
        self._platform = platform
        self._logins = logins
        self._password = password
        self._threads: list[threading.Thread] = []
        self._connections: list[http.client.HTTPConnection] = []
        self._stopping = threading.Event()
        self._opened = threading.Semaphore(0)
        self.open = 0

    def __len__(self) -> int:
        return self.open + 1

    @staticmethod
    def newcomers(platform: Platform) -> list[directory_pb2.Person]:
        stub = directory_pb2_grpc.DirectoryServiceStub(platform.channel("identity"))
        asked = directory_pb2.ListPeopleRequest(on_probation=True, page_size=200)
        return list(stub.ListPeople(asked).people)

    def __enter__(self) -> Self:
        for login in self._logins:
            thread = threading.Thread(target=self._live, args=(login,), daemon=True)
            self._threads.append(thread)
            thread.start()
            if self._opened.acquire(timeout=30):
                self.open += 1
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stopping.set()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                if connection.sock is not None:
                    connection.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def _live(self, login: str) -> None:
        visitor = Visitor(self._platform.web)
        visitor.sign_in(login, self._password)
        connection = visitor.listen()
        self._connections.append(connection)
        answer = connection.getresponse()
        assert answer.status == 200
        self._opened.release()
        parts = {
            "progress": "/today/targets",
            "statement": "/today/summary",
            "boards": "/bonus/standings",
            "learning": "/today/course",
        }
        with contextlib.suppress(OSError, http.client.HTTPException):
            for line in lines(answer):
                if self._stopping.is_set():
                    break
                if line.startswith("data: ") and line != "data: -":
                    for topic in line.removeprefix("data: ").split():
                        if topic in parts:
                            visitor.ask("GET", parts[topic])
        answer.close()
        connection.close()


def lines(answer: http.client.HTTPResponse) -> Iterator[str]:
    """What an open page is told, line by line, until it is closed."""
    while line := answer.readline():
        yield line.decode().rstrip("\n")
