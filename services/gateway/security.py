"""What every answer tells the browser: run nothing but ours, be framed by nobody, say little."""

from typing import Final

from flask import Flask, Response, request

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_HSTS: Final = "max-age=63072000; includeSubDomains"
_FOREVER: Final = "public, max-age=31536000, immutable"


def install(app: Flask, *, https: bool) -> None:
    """Add the headers to every answer; pages are private and not kept, versioned assets are kept for a year."""

    @app.after_request
    def protect(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if https:
            response.headers.setdefault("Strict-Transport-Security", _HSTS)
        if request.endpoint == "static":
            versioned = response.status_code in (200, 304) and "v" in request.args
            response.headers["Cache-Control"] = _FOREVER if versioned else "no-cache"
        else:
            response.headers.setdefault("Cache-Control", "no-store")
        return response
