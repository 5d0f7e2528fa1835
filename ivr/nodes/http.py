"""http: ask a web service and keep what it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import Field, JsonValue, field_validator, model_validator

from ivr.errors import WebFailed
from ivr.node import Exit, Form, MoreExits, Node, Use, node_type
from ivr.office import WebRequest
from ivr.says import Prompts
from ivr.shown import ADVANCED, SECONDS, shown_as, when
from ivr.values import TOLD, Template, Value, VariableName, foreign, names_in
from ivr.visit import Visit

_URL = re.compile(r"https?://[^\s/?#{}@]+(?:[/?#][^\s]*)?")
_STATUS = re.compile(r"[1-5][0-9][0-9]")
_STEP = re.compile(r"([^.\[\]]+)|\[(-?[0-9]{1,6})\]")
_PATH = re.compile(r"(?:[^.\[\]\s]+|\[-?[0-9]{1,6}\])(?:\.[^.\[\]\s]+|\[-?[0-9]{1,6}\])*")
_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,59}")
MISSING = object()


@node_type
class Http(Node):
    """Sends a request to `url` and maps the JSON of the answer to variables: `results` has for each the path of its value, such
    as `order.lines[0].price`.

    Variables may stand in the url (where they are quoted), in `headers` and anywhere in `body`, which is sent as JSON. Each of
    `tries` may take `seconds`; one is made again where no connection was made, and, for requests that do no harm twice (GET,
    PUT, DELETE), also where no answer came in time or the service was out of order.

    Leaves by `done`, or by `failed` where there was no answer that can be used: not reached, too late, too long, another
    status than 200-299, no JSON, or a result that is not there. A status may have an exit of its own, such as `404`.
    Addresses within the house are refused unless the settings allow them. `prompts` are said before, so that the wait is not
    silent.
    """

    form: ClassVar[Form] = Form(
        "Ask a web service",
        "Asks a web service, such as the shop for an order, and keeps what it answers.",
        "look_up",
        "cloud",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (Exit("done"), Exit("failed"))
    more_exits: ClassVar[MoreExits | None] = MoreExits(
        "^[1-5][0-9][0-9]$", "A status", "An answer with this HTTP status, such as 404 for what is not known there."
    )
    asks_the_house: ClassVar[bool] = True

    type: Literal["http"]
    url: Annotated[str, shown_as("template")] = Field(
        max_length=2000,
        title="Address",
        description="Such as https://shop.example/orders/{order}. Addresses within the house are refused unless allowed.",
    )
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field(default="GET", title="Method")
    headers: dict[str, Template] = Field(
        default_factory=dict, max_length=30, title="Headers", json_schema_extra=ADVANCED
    )
    body: Annotated[JsonValue, shown_as("json")] = Field(
        default=None,
        title="Body",
        description="Sent as JSON; names in braces are filled in.",
        json_schema_extra=when(method=("POST", "PUT", "PATCH", "DELETE")),
    )
    results: dict[VariableName, str] = Field(
        default_factory=dict,
        max_length=50,
        title="What is kept of the answer",
        description="Name and where it stands in the answer, such as order.lines[0].price.",
    )
    seconds: float = Field(default=5, ge=0.5, le=30, title="Wait at most", json_schema_extra=SECONDS)
    tries: int = Field(default=1, ge=1, le=5, title="Tries", json_schema_extra=ADVANCED)
    prompts: Prompts = Field(default=(), title="Said meanwhile")

    @field_validator("url")
    @classmethod
    def _url(cls, url: str) -> str:
        if not _URL.fullmatch(url):
            raise ValueError(
                "a url begins with http:// or https:// and names its host outright; variables come after that"
            )
        return url

    @field_validator("headers")
    @classmethod
    def _headers(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not _HEADER.fullmatch(name) or name.lower() in (
                "host",
                "content-length",
                "transfer-encoding",
                "connection",
            ):
                raise ValueError(f"{name!r} is no header that may be set")
            if not value.isprintable():
                raise ValueError(f"header {name!r} has a sign that cannot be sent")
        return headers

    @model_validator(mode="after")
    def _may(self) -> Http:
        for name, path in self.results.items():
            if name in TOLD:
                raise ValueError(f"{name!r} is what each call has by itself and cannot be set")
            if not _PATH.fullmatch(path):
                raise ValueError(f"{path!r} is no path such as order.lines[0].price")
        if self.method == "GET" and self.body is not None:
            raise ValueError("a GET has no body")
        return self

    def ways(self) -> tuple[Exit, ...]:
        statuses = (Exit(name, falls_to="failed") for name in self.exits if _STATUS.fullmatch(name))
        return (*self.own_exits, *statuses)

    def uses(self) -> Iterator[Use]:
        yield from super().uses()
        yield from (Use(name, "in the address of a request") for name in names_in(self.url))
        for value in self.headers.values():
            yield from (Use(name) for name in names_in(value))
        yield from (Use(name) for name in _names_deep(self.body))

    def sets(self) -> Iterator[str]:
        yield from self.results

    def run(self, visit: Visit) -> str:
        request = WebRequest(
            self.method,
            visit.fill(self.url, lambda text: quote(text, safe="")),
            {name: visit.fill(value, foreign) for name, value in self.headers.items()},
            _filled(self.body, visit),
            self.seconds,
            self.tries,
        )
        visit.play(self.prompts)
        try:
            answer = visit.phone.office.request(request)
        except WebFailed:
            return "failed"
        if not 200 <= answer.status < 300:
            return str(answer.status) if str(answer.status) in self.exits else "failed"
        found = {name: value_at(answer.content, path) for name, path in self.results.items()}
        if any(value is None for value in found.values()):
            return "failed"
        for name, value in found.items():
            if value is not None:
                visit.set(name, value)
        return "done"


def value_at(content: object, path: str) -> Value | None:
    """The text, number or truth value at a path of JSON content; None where there is none."""
    for key, index in _STEP.findall(path):
        if key and isinstance(content, dict):
            content = content.get(key, MISSING)
        elif index and isinstance(content, list) and -len(content) <= int(index) < len(content):
            content = content[int(index)]
        else:
            return None
    if isinstance(content, str):
        return foreign(content)
    if isinstance(content, bool) or (isinstance(content, int | float) and abs(content) < 1e15):
        return content
    return None


def _names_deep(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield from names_in(content)
    elif isinstance(content, dict):
        for value in content.values():
            yield from _names_deep(value)
    elif isinstance(content, list):
        for value in content:
            yield from _names_deep(value)


def _filled(content: Any, visit: Visit) -> Any:
    if isinstance(content, str):
        names = names_in(content)
        # A variable alone stays what it is, a number a number.
        return visit.value(names[0]) if names and content == f"{{{names[0]}}}" else visit.fill(content)
    if isinstance(content, dict):
        return {name: _filled(value, visit) for name, value in content.items()}
    if isinstance(content, list):
        return [_filled(value, visit) for value in content]
    return content
