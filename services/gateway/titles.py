"""What metrics of one's own are called: every page names metrics, and hardly anything changes less often."""

import threading
import time
from collections.abc import Mapping
from typing import Final

from foothold.goals.v1 import metric_library_pb2, metric_library_pb2_grpc

from chassis.errors import Failure
from services.gateway.clients import ask

_AGE_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 1.0
_ASK_SECONDS: Final = 2.0
_MOST: Final = 1_000
"""More than the metrics an enterprise may have: they come on one page."""


class Titles:
    """Titles by metric and language tag. Read again once they are old, or when somebody names one that is not known.

    They are read as whoever asks: one who may not see the library is told what others have read before.
    """

    def __init__(self, library: metric_library_pb2_grpc.MetricLibraryServiceStub) -> None:
        self._library = library
        self._known: Mapping[str, Mapping[str, str]] = {}
        self._read_at = self._tried_at = -_AGE_SECONDS
        self._reading = threading.Lock()

    def of(self, name: str) -> Mapping[str, str]:
        """A metric's titles; empty for one that nobody has defined."""
        if self._wanted(name):
            with self._reading:
                # Whoever waited finds what the first one has read.
                if self._wanted(name):
                    self._read()
        return self._known.get(name, {})

    def forget(self) -> None:
        """One was just defined here: read again before the next answer."""
        self._read_at = self._tried_at = -_AGE_SECONDS

    def _wanted(self, name: str) -> bool:
        now = time.monotonic()
        old = name not in self._known or now - self._read_at > _AGE_SECONDS
        return old and now - self._tried_at > _PAUSE_SECONDS

    def _read(self) -> None:
        self._tried_at = time.monotonic()
        asked = metric_library_pb2.ListMetricVersionsRequest(page_size=_MOST)
        try:
            found = ask(self._library.ListMetricVersions, asked, seconds=_ASK_SECONDS).versions
        except Failure:
            # What was known stands; a page is not to fail for want of a title.
            return
        self._known = {each.definition.name: dict(each.definition.titles) for each in found}
        self._read_at = self._tried_at
