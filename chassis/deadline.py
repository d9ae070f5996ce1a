"""How long the caller of the current call still waits."""

import time
from contextvars import ContextVar
from typing import Final

DEFAULT_SECONDS: Final = 30.0
_until: ContextVar[float | None] = ContextVar("deadline", default=None)


def begin(seconds: float) -> None:
    """Note that the current call's caller waits `seconds` more."""
    _until.set(time.monotonic() + seconds)


def remaining() -> float:
    """Seconds the caller still waits; 30 s outside of a call. Never negative."""
    until = _until.get()
    return DEFAULT_SECONDS if until is None else max(0.0, until - time.monotonic())


def limit(seconds: float) -> float:
    """`seconds`, or less where the caller of the call being served waits less."""
    until = _until.get()
    return seconds if until is None else max(0.0, min(seconds, until - time.monotonic()))
