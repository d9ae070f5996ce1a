"""Targets running as child processes: started, watched, started again when they die, stopped by pid."""

import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import IO, Final

from chassis.logs import logger
from launcher.targets import process_environment

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 10.0
# A child that lived this long was well: the next death starts counting anew.
_WELL_AFTER: Final = 20.0
_NEVER_READY_DEATHS: Final = 5
_KILL_AFTER: Final = 10.0


@dataclass
class _Child:
    target: str
    environment: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None
    deaths: int = 0
    thread: threading.Thread | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Separately:
    """A process per target. A child also ends when this process ends without a word: its stdin closes."""

    shape: Final = "split"

    def __init__(self, *, log: IO[bytes] | None = None) -> None:
        self._log = log
        self._children: list[_Child] = []
        self._stopping = threading.Event()
        self._ready = threading.Event()

    def start(self, target: str, environment: dict[str, str]) -> None:
        child = _Child(target, environment)
        self._children.append(child)
        self._spawn(child)
        child.thread = threading.Thread(
            target=self._watch, args=(child,), name=f"watch-{target}", daemon=True
        )
        child.thread.start()

    def all_ready(self) -> None:
        """From now on no child is given up: whatever dies is started again, however often."""
        self._ready.set()

    def died(self) -> str | None:
        """The target that keeps dying before the platform was ever ready, if one does."""
        if self._ready.is_set():
            return None
        for child in self._children:
            if child.deaths >= _NEVER_READY_DEATHS:
                return child.target
        return None

    def pids(self) -> dict[str, int]:
        return {child.target: child.process.pid for child in self._children if child.process}

    def stop(self, grace: float) -> None:
        """Ask every child to end, the last started first, and end those that do not within the grace."""
        self._stopping.set()
        for child in reversed(self._children):
            with child.lock:
                if child.process and child.process.poll() is None:
                    child.process.terminate()
        deadline = time.monotonic() + grace + _KILL_AFTER
        for child in self._children:
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
            if child.process.stdin:
                child.process.stdin.close()
        for child in self._children:
            if child.thread:
                child.thread.join(_KILL_AFTER)

    def _spawn(self, child: _Child) -> None:
        command = [sys.executable, "-m", "launcher.main", "serve", f"--target={child.target}", "--lifeline"]
        with child.lock:
            if self._stopping.is_set():
                return
            child.process = subprocess.Popen(
                command,
                env=process_environment() | child.environment,
                stdin=subprocess.PIPE,
                stdout=self._log,
                stderr=self._log,
                # A Ctrl-C in the terminal is for the parent, which stops the children in order.
                start_new_session=True,
            )

    def _watch(self, child: _Child) -> None:
        while not self._stopping.is_set():
            process = child.process
            if process is None:
                return
            started = time.monotonic()
            code = process.wait()
            if self._stopping.is_set():
                return
            if process.stdin:
                process.stdin.close()
            child.deaths = 1 if time.monotonic() - started > _WELL_AFTER else child.deaths + 1
            pause = min(_FIRST_PAUSE * 2 ** (child.deaths - 1), _LONGEST_PAUSE)
            logger(__name__).error(
                "child_died", target=child.target, exit_code=code, deaths=child.deaths, again_in_seconds=pause
            )
            if self.died() or self._stopping.wait(pause):
                return
            self._spawn(child)
