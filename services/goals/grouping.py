"""Commits that calls share: facts told one by one at the same time are recorded as one batch.

A commit costs as much as recording hundreds of facts. While one is under way those who come wait, and the
next one takes all of them, and waits no longer than a commit takes for as many as shared the one before; a
call that comes alone waits for nobody.
"""

import queue
import threading
import time
from concurrent.futures import Future
from typing import Final

from chassis.errors import Unavailable
from services.goals.domain.recorded import Result
from services.goals.store.recording import Recorder, Told

_MOST: Final = 500
_LONGEST_GATHERING_SECONDS: Final = 0.05

_Waiting = tuple[Told, "Future[Result]"]


def _closed() -> Unavailable:
    return Unavailable("NOT_READY", "The service is starting or stopping; send it again.")


class GroupCommit:
    """Records single facts through a `Recorder`, in as few transactions as their arrival allows.

    With two committers one gathers while the other waits for the disk.
    """

    def __init__(self, recorder: Recorder, *, committers: int = 2) -> None:
        self._recorder = recorder
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"committer-{number}", daemon=True)
            for number in range(committers)
        ]
        self._open = False

    def start(self) -> None:
        self._open = True
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Commit what waits, then end."""
        self._open = False
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()
        while not self._waiting.empty():
            late = self._waiting.get()
            if late is not None:
                late[1].set_exception(_closed())

    def record(self, told: Told) -> Result:
        """What became of the fact, once it is committed. Unavailable NOT_READY while the server stops."""
        if not self._open:
            raise _closed()
        answer: Future[Result] = Future()
        self._waiting.put((told, answer))
        return answer.result()

    def _run(self) -> None:
        last, took = 1, 0.0
        while (first := self._waiting.get()) is not None:
            group, ending = self._gather(first, last, min(took, _LONGEST_GATHERING_SECONDS))
            began = time.monotonic()
            self._commit(group)
            last, took = len(group), time.monotonic() - began
            if ending:
                return

    def _gather(self, first: _Waiting, last: int, patience: float) -> tuple[list[_Waiting], bool]:
        """Whoever waits, and whether to end; `patience` seconds for as many as shared the `last` commit.

        Those who were just answered tell their next fact a moment later: without patience each large group would
        be followed by a commit for the first few of them.
        """
        group = [first]
        until = time.monotonic() + patience
        while len(group) < _MOST:
            left = until - time.monotonic() if len(group) < last else 0.0
            try:
                another = self._waiting.get(timeout=left) if left > 0 else self._waiting.get_nowait()
            except queue.Empty:
                break
            if another is None:
                return group, True
            group.append(another)
        return group, False

    def _commit(self, group: list[_Waiting]) -> None:
        try:
            results = self._record([told for told, _ in group])
        except Exception as error:  # noqa: BLE001  each caller must hear of it
            self._fail(group, error)
            return
        for (_, answer), result in zip(group, results, strict=True):
            answer.set_result(result)

    def _fail(self, group: list[_Waiting], error: Exception) -> None:
        """One by one, so that nobody suffers for another's fact; alone, the failure is the caller's own."""
        if len(group) == 1:
            group[0][1].set_exception(error)
            return
        for told, answer in group:
            try:
                answer.set_result(self._record([told])[0])
            except Exception as own:  # noqa: BLE001  as above
                answer.set_exception(own)

    def _record(self, group: list[Told]) -> list[Result]:
        return self._recorder.record(
            [told.fact for told in group],
            [told.scope for told in group],
            position=min(told.position for told in group),
        )
