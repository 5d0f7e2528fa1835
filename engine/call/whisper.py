"""What an agent hears after picking up and before being joined with the caller: the queue's words, and who calls."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import gevent
import structlog

from engine.call.audible import playable
from engine.esl.errors import UnsafeText
from engine.routing.events import MakeOffer
from sounds import spoken
from sounds.errors import PromptMissing, SynthesisFailed

if TYPE_CHECKING:
    from engine.call.session import Session

READY_SECONDS: Final = 0.4
"""How long words that were never spoken before are waited for; the phone then rings without them, and the next time they are
there."""

_FIELD: Final = re.compile(r"\{([a-z_]+)\}")
_PROMPT: Final = re.compile(r"[a-z0-9][a-z0-9_]{0,79}")
_CATEGORIES: Final = {"vip": "V I P", "problem": "problem customer"}

log = structlog.get_logger(__name__)


def whisper(session: Session, offer: MakeOffer) -> str:
    """What the agent's leg is to play, as `playback` takes it; empty for nothing. Never raises: a talk is worth more than what
    is said before it."""
    if not offer.whisper and not offer.announce_caller:
        return ""
    speaking = gevent.spawn(_files, session, offer)
    speaking.join(READY_SECONDS)
    if not speaking.ready():
        log.info("whisper not ready in time", call=session.call.call_id, queue=offer.queue)
        return ""
    files: list[str] = speaking.value or []
    try:
        return playable(files) if files else ""
    except UnsafeText as error:
        log.warning("whisper left out", call=session.call.call_id, error=str(error))
        return ""


def filled(part: str, values: Mapping[str, str]) -> str:
    """A part of a whisper with its `{fields}`; a field that is not known, or empty, leaves nothing, nor a comma twice."""
    text = _FIELD.sub(lambda found: values.get(found[1], ""), part)
    return re.sub(r"(?:\s*,)+\s*", ", ", " ".join(text.split())).strip(" ,")


def _files(session: Session, offer: MakeOffer) -> list[str]:
    catalogue = session.around.catalogue
    language = catalogue.default_language
    parts: list[str] = list(offer.whisper)
    if offer.announce_caller:
        parts.append("{caller}")
    values = _values(session, offer)
    found: list[str] = []
    for part in parts:
        try:
            if part == "{waited}":
                found += _paths(session, spoken.duration(_minutes(offer.waited_seconds), language))
            elif part == "{caller}" and not values["customer"]:
                found += _paths(session, spoken.digits(values["number"], language))
            elif _PROMPT.fullmatch(part) and (path := _prompt(session, part)):
                found.append(path)
            elif text := filled(part, values):
                found.append(session.around.house.speech.file(text, language))
        except (SynthesisFailed, PromptMissing, ValueError) as error:
            log.warning("part of a whisper left out", queue=offer.queue, part=part, error=str(error))
    return found


def _values(session: Session, offer: MakeOffer) -> dict[str, str]:
    now = session.call.now
    rule = session.snapshot.roster.queue(offer.queue)
    minutes = _minutes(offer.waited_seconds)
    customer = now.customer_name or ""
    return {
        "queue": (rule.title if rule else "") or offer.queue,
        "category": _CATEGORIES.get(now.customer_category or "", ""),
        "waited": f"{minutes} minute{'' if minutes == 1 else 's'}",
        "customer": customer,
        "caller": customer,
        "number": re.sub(r"\D", "", now.from_number),
    }


def _minutes(seconds: float) -> int:
    return max(1, round(seconds / 60))


def _prompt(session: Session, name: str) -> str:
    try:
        return _paths(session, [name])[0]
    except PromptMissing:
        return ""


def _paths(session: Session, names: Sequence[str]) -> list[str]:
    catalogue = session.around.catalogue
    return [str(path) for path in catalogue.paths(names, catalogue.default_language)]
