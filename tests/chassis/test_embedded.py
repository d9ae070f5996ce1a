"""The server ends with its owner, however that ends, and nothing committed is lost."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from chassis.embedded import EmbeddedError, EmbeddedPostgres


def _value(url: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT kind FROM loaves").fetchone()
    return row and row[0]


def _bake(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE loaves (kind text)")
        connection.execute("INSERT INTO loaves VALUES ('rye')")


def _running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _eventually(truth: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < until, "did not become true in time"
        time.sleep(0.02)


def test_data_survive_a_stop_and_a_start(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    url = server.start()
    _bake(url)
    pid = server.pid
    assert pid is not None
    server.stop()
    server.stop()
    assert not _running(pid)
    again = EmbeddedPostgres(tmp_path)
    assert again.start() == url
    assert _value(url) == "rye"
    with psycopg.connect(url) as connection:
        for setting, expected in (
            ("server_encoding", "UTF8"),
            ("timezone", "UTC"),
            ("fsync", "on"),
            ("listen_addresses", ""),
        ):
            row = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
            assert row == (expected,), setting
    again.stop()


def test_a_second_owner_is_refused_with_a_reason(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    server.start()
    with pytest.raises(EmbeddedError, match="another Foothold"):
        EmbeddedPostgres(tmp_path).start()
    server.stop()


def test_a_folder_too_long_for_a_socket_and_with_odd_letters_works(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / ("d" * 90) / "数据 100%&?" / "x")
    url = server.start()
    _bake(url)
    assert _value(url) == "rye"
    socket = Path(url.rpartition("host=")[2].replace("%2F", "/"))
    assert socket.is_dir()
    server.stop()
    assert not socket.exists()


def test_a_server_killed_under_its_owner_is_started_again(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    url = server.start()
    _bake(url)
    killed = server.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    _eventually(lambda: server.pid != killed)

    def back() -> bool:
        try:
            return _value(url) == "rye"
        except psycopg.OperationalError:
            return False

    _eventually(back)
    server.stop()


def test_the_server_ends_when_its_owner_is_killed_and_the_next_owner_has_the_data(tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        import time
        from pathlib import Path
        from chassis.embedded import EmbeddedPostgres
        server = EmbeddedPostgres(Path({str(tmp_path)!r}))
        print(server.start(), server.pid, flush=True)
        time.sleep(600)
    """)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        url, pid = owner.stdout.readline().split()
        _bake(url)
        owner.kill()
    # Started at once, while the old server may still be shutting down.
    server = EmbeddedPostgres(tmp_path)
    assert server.start() == url
    assert not _running(int(pid))
    assert _value(url) == "rye"
    server.stop()
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        _, pid = owner.stdout.readline().split()
        owner.kill()
    _eventually(lambda: not _running(int(pid)))


def test_a_folder_somebody_else_prepared_for_the_socket_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "socket").symlink_to(tmp_path)
    with pytest.raises((EmbeddedError, FileExistsError)):
        EmbeddedPostgres(folder).start()
