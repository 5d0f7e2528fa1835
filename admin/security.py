"""What every answer carries so that a browser keeps to our own files and nobody frames us, and compression."""

from __future__ import annotations

import gzip

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface

RECORDING_POLICY = "camera=(), geolocation=(), microphone=(self), payment=()"
"""The Permissions-Policy of a page that records."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_COMPRESSED = {"text/html", "application/json"}
_WORTH_IT = 1024


class Sessions(SecureCookieSessionInterface):
    """Session cookies that are Secure wherever the browser came by https, also through a proxy on this machine."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002
        return over_https()


def over_https() -> bool:
    """Whether the browser's own connection is encrypted. The proxy's word can only make a cookie stricter."""
    return request.is_secure or request.headers.get("X-Forwarded-Proto") == "https"


def protect(response: Response) -> Response:
    """The headers of every answer. Pages and data are not kept by the browser, so that going back after signing out shows
    nothing; only files named by their content are."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
    if "Cache-Control" not in headers:
        response.cache_control.no_store = True
    if over_https():
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return response


def compress(response: Response) -> Response:
    """Compress what is text, whole and worth it."""
    if (
        response.mimetype not in _COMPRESSED
        or response.is_streamed
        or response.direct_passthrough
        or response.content_encoding
        or response.status_code in (204, 304)
        or not request.accept_encodings["gzip"]
    ):
        return response
    content = response.get_data()
    response.vary.add("Accept-Encoding")
    if len(content) >= _WORTH_IT:
        response.set_data(gzip.compress(content, 5, mtime=0))
        response.content_encoding = "gzip"
    return response
