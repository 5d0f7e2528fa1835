"""The files that pages load: style, script, icons. Read once, compressed once, and named by their content.

An address carries the content's fingerprint, so a browser keeps the file for good and asks for another one as soon as it
differs.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, abort, request, url_for

from admin.access import Right, needs

YEAR = 365 * 24 * 3600
_COMPRESSED = {".css", ".js", ".svg", ".txt", ".json"}


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    compressed: bytes | None
    kind: str
    fingerprint: str


class Assets:
    """Every file below `folder`, by its path there."""

    def __init__(self, folder: Path) -> None:
        self._files: Mapping[str, Asset] = {
            path.relative_to(folder).as_posix(): self._read(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    @staticmethod
    def _read(path: Path) -> Asset:
        content = path.read_bytes()
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return Asset(
            content=content,
            compressed=gzip.compress(content, 9, mtime=0) if path.suffix in _COMPRESSED else None,
            kind="text/javascript" if path.suffix == ".js" else kind,
            fingerprint=hashlib.sha256(content).hexdigest()[:12],
        )

    def address(self, name: str) -> str:
        """Where a page finds the file. KeyError for one that is not there, as a template that names it is broken."""
        return url_for("static.file", name=name, v=self._files[name].fingerprint)

    def blueprint(self) -> Blueprint:
        static = Blueprint("static", __name__)

        @static.get("/static/<path:name>")
        @needs(Right.ANYONE)
        def file(name: str) -> Response:
            return self._answer(name)

        return static

    def _answer(self, name: str) -> Response:
        found = self._files.get(name)
        if found is None:
            abort(404)
        response = Response(found.content, mimetype=found.kind)
        response.set_etag(found.fingerprint)
        if request.args.get("v") == found.fingerprint:
            response.cache_control.public = True
            response.cache_control.max_age = YEAR
            response.cache_control.immutable = True
        else:
            response.cache_control.no_cache = True
        if found.compressed is not None:
            response.vary.add("Accept-Encoding")
            if request.accept_encodings["gzip"]:
                response.set_data(found.compressed)
                response.content_encoding = "gzip"
        response.make_conditional(request)
        return response
