"""Structured logs: one JSON object a line on stderr.

What identifies a person or opens a door never goes in: log ids and reasons, not names, not payloads.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import orjson
import structlog
from opentelemetry import trace

_SECRET_WORDS: Final = ("password", "token", "secret", "authorization", "cookie", "private_key")
_HIDDEN: Final = "***"
_ROWS: Final = re.compile(r"^(?:E +)?(?:DETAIL|CONTEXT|LINE \d+): .*\n?", re.MULTILINE)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for one module: `logger(__name__).info("what_happened", id=...)`."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return bound


def configure(service: str, *, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send this process's logs, the libraries' included, to stderr (or `stream`) as JSON. Once, at start."""

    def with_service(
        _logger: object, _method: str, entry: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        entry.setdefault("service", service)
        return entry

    ours: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        with_service,
        _with_trace,
        structlog.processors.format_exc_info,
        _without_rows,
        hide_secrets,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *ours,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=ours,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_json),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Alembic and the HTTP libraries narrate at INFO.
    for noisy in ("alembic", "urllib3", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def hide_secrets(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last net: a value under a secret's name is not written, whoever passed it."""
    for key in entry:
        lowered = key.lower()
        if any(word in lowered for word in _SECRET_WORDS):
            entry[key] = _HIDDEN
    return entry


def _without_rows(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """PostgreSQL explains an error with the row that caused it; the row is somebody's."""
    told = entry.get("exception")
    if isinstance(told, str):
        entry["exception"] = _ROWS.sub("", told)
    return entry


def _with_trace(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        entry.setdefault("trace_id", f"{context.trace_id:032x}")
        entry.setdefault("span_id", f"{context.span_id:016x}")
    return entry


def _json(entry: object, **_options: object) -> str:
    return orjson.dumps(entry, default=str).decode()
