"""A span per page, so that a trace begins where a person waits and goes on into the services."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, request
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from chassis import telemetry

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]


def traced(application: Application) -> Application:
    """The application with a server span around each request; nothing at all while telemetry is off."""

    def call(environ: Environ, start_response: Any) -> Iterable[bytes]:
        instruments = telemetry.current()
        if instruments is None:
            return application(environ, start_response)
        carried = [("traceparent", environ["HTTP_TRACEPARENT"])] if "HTTP_TRACEPARENT" in environ else []
        with instruments.tracer.start_as_current_span(
            str(environ["REQUEST_METHOD"]), context=telemetry.incoming(carried), kind=SpanKind.SERVER
        ):
            return application(environ, start_response)

    return call


def install(app: Flask) -> None:
    """Name the spans by route: a path may hold the id of a person, a route does not."""

    @app.before_request
    def name() -> None:
        rule = request.url_rule
        span = trace.get_current_span()
        span.update_name(f"{request.method} {rule.rule if rule else '(no route)'}")
        span.set_attribute("http.request.method", request.method)

    app.wsgi_app = traced(app.wsgi_app)  # type: ignore[method-assign,assignment]  # as Flask's documentation does it
