"""Telephone numbers, however they are spelled.

Normalised numbers are E.164 (`+4532101010`), or the bare keys of a short internal number (`1001`, `*97`), or nothing where
the number is withheld or no number at all. What arrives comes from strangers, so everything here is bounded and never raises.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat

LONGEST = 80
"""Characters. Nothing longer is a number, in whatever spelling."""

REMEMBERED = 32_768
"""Numbers whose spelling is remembered, 0.3 KB each: who rings often, and what one call asks for again and again."""

LONGEST_INTERNAL = 6
_INTERNAL = re.compile(rf"[0-9*#]{{1,{LONGEST_INTERNAL}}}")
_URI = re.compile(r"(?:sips?|tel):", re.IGNORECASE)
_SPELLING = re.compile(r"[0-9+()\-./ ]+")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")


def normalise(text: str, country: str) -> str:
    """The number in its one spelling. `country` (two letters) is where numbers without a prefix are at home.

    Takes national and international spellings, `00` for `+`, E.164 without its plus as many trunks send it, and SIP and tel
    URIs. Returns an empty string for `anonymous`, for names, and for whatever else is no number.
    """
    return _normalised(text, country) if len(text) <= LONGEST else ""


@lru_cache(maxsize=REMEMBERED)
def _normalised(text: str, country: str) -> str:
    plain = _plain(text)
    if _INTERNAL.fullmatch(plain):
        return plain
    if not _SPELLING.fullmatch(plain):
        return ""
    home = _parse(plain, country)
    if home is not None and phonenumbers.is_valid_number(home):
        return _e164(home)
    if not plain.startswith(("+", "00")):
        abroad = _parse(f"+{plain}", country)
        if abroad is not None and phonenumbers.is_valid_number(abroad):
            return _e164(abroad)
    # A range so new that the library does not know it yet still is a number.
    return _e164(home) if home is not None and phonenumbers.is_possible_number(home) else ""


def display(number: str, country: str) -> str:
    """A normalised number as people write it: the national way at home, the international way abroad.

    In the few countries whose numbers are as short as internal ones, the international way at home too: `normalise` reads
    what this shows as the number it was.
    """
    return _displayed(number, country) if number.startswith("+") and len(number) <= LONGEST else number


@lru_cache(maxsize=REMEMBERED)
def _displayed(number: str, country: str) -> str:
    parsed = _parse(number, country)
    if parsed is None:
        return number
    if parsed.country_code == phonenumbers.country_code_for_region(country):
        national: str = phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
        if len(re.sub("[^0-9]", "", national)) > LONGEST_INTERNAL:
            return national
    return phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)


def same(one: str, other: str, country: str) -> bool:
    """Whether two spellings mean the same number; what is no number is the same as nothing."""
    normal = normalise(one, country)
    return bool(normal) and normal == normalise(other, country)


def _plain(text: str) -> str:
    text = text.strip()
    scheme = _URI.match(text)
    if scheme:
        text = re.split(r"[@;?]", text[scheme.end() :], maxsplit=1)[0]
    # Full-width and other nations' digits become ours, and every kind of space becomes one kind.
    text = unicodedata.normalize("NFKC", text).translate(_DASHES)
    return "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text).strip()


def _parse(text: str, country: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
