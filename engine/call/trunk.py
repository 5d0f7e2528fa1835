"""Numbers outside: which of them flows may call, and over what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from conf.errors import PointsmanError
from dialplan import numbers

_DIALLED = re.compile(r"\+[1-9][0-9]{5,14}")


class NumberForbidden(PointsmanError):
    """A number that the settings do not let flows call, or no number."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How a number is reached: what FreeSWITCH is told, and which number it shows there, None for the caller's own."""

    number: str
    dial_string: str
    caller_number: str | None


class Trunk:
    """The way out. `route` is a dial string with `{number}` in the place of the number, empty where there is none; `prefixes`
    are what a number must begin with, in E.164; `caller_number` is shown instead of the caller's where it is not empty."""

    def __init__(self, route: str, prefixes: Sequence[str], *, country: str, caller_number: str = "") -> None:
        self._route = route
        self._prefixes = tuple(prefixes)
        self._country = country
        self._caller_number = caller_number

    @property
    def leads_anywhere(self) -> bool:
        """Whether any number outside can be called at all."""
        return bool(self._route and self._prefixes)

    def endpoint(self, number: str) -> Endpoint:
        """How to reach a number in whatever spelling. NumberForbidden says why it is not to be."""
        wanted = numbers.normalise(number, self._country)
        if not _DIALLED.fullmatch(wanted):
            raise NumberForbidden("what is to be called is no number outside")
        if not self._route:
            raise NumberForbidden("there is no way out; set POINTSMAN_TRUNK")
        if not wanted.startswith(self._prefixes):
            raise NumberForbidden(
                f"no prefix of {wanted} is allowed; add it to POINTSMAN_OUTSIDE_PREFIXES if it is meant"
            )
        return Endpoint(wanted, self._route.replace("{number}", wanted), self._caller_number or None)
