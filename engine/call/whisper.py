"""What an agent hears after picking up and before being joined with the caller: the queue's words, and who calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import gevent
import structlog

from engine.call.audible import playable
from engine.esl.errors import UnsafeText
from engine.routing.events import MakeOffer
from engine.routing.roster import QueueRule
from sounds import spoken
from sounds.errors import PromptMissing, SynthesisFailed

if TYPE_CHECKING:
    from engine.call.session import Session

READY_SECONDS: Final = 0.4
"""How long words that were never spoken before are waited for; the phone then rings without them, and the next time they are
there."""

WAITED: Final = "{waited}"
CALLER: Final = "{caller}"
_FIELD: Final = re.compile(r"\{([a-z_]+)\}")
_PROMPT: Final = re.compile(r"[a-z0-9][a-z0-9_]{0,79}")
_CATEGORIES: Final = {"vip": "V I P", "problem": "problem customer"}

log = structlog.get_logger(__name__)


def prepare(session: Session, rule: QueueRule) -> None:
    """Have the words of this queue spoken while the call waits, so that they are there when a phone is picked up."""
    settings = rule.settings
    if settings.whisper or settings.announce_caller:
        gevent.spawn(_files, session, rule.name, settings.whisper, settings.announce_caller, 0.0)


def whisper(session: Session, offer: MakeOffer) -> str:
    """What the agent's leg is to play, as `playback` takes it; empty for nothing. Never raises: a talk is worth more than what
    is said before it."""
    if not offer.whisper and not offer.announce_caller:
        return ""
    speaking = gevent.spawn(_files, session, offer.queue, offer.whisper, offer.announce_caller, offer.waited_seconds)
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


def pieces(part: str, values: Mapping[str, str]) -> list[str]:
    """A part of a whisper as texts to speak, with WAITED where the time of waiting stands: that is put together from prompts,
    so that the texts are the same for all calls and need be spoken but once. A field that is not known, or empty, leaves
    nothing, nor a comma twice."""
    found: list[str] = []
    for place, text in enumerate(part.split(WAITED)):
        if place:
            found.append(WAITED)
        said = _FIELD.sub(lambda field: values.get(field[1], ""), text)
        said = re.sub(r"(?:\s*,)+\s*", ", ", " ".join(said.split())).strip(" ,")
        if said:
            found.append(said)
    return found


def who(values: Mapping[str, str], speak: Callable[[str], str], spell: Callable[[str], list[str]]) -> list[str]:
    """The files that say who calls: the customer's name, or the number digit by digit where there is none, or none that can
    be spoken here."""
    if values["customer"]:
        try:
            return [speak(values["customer"])]
        except SynthesisFailed as error:
            log.warning("a number is told instead of a name", name=values["customer"], error=str(error))
    return spell(values["number"])


def _files(session: Session, queue: str, parts: Sequence[str], announce: bool, waited: float) -> list[str]:
    language = session.around.catalogue.default_language
    values = _values(session, queue)
    found: list[str] = []
    for part in [*parts, *([CALLER] if announce else [])]:
        try:
            if _PROMPT.fullmatch(part) and (path := _prompt(session, part)):
                found.append(path)
            elif part == CALLER:
                found += who(
                    values,
                    speak=lambda name: session.around.house.speech.file(name, language),
                    spell=lambda number: _paths(session, spoken.digits(number, language)),
                )
            else:
                for text in pieces(part, values):
                    if text == WAITED:
                        found += _paths(session, spoken.duration(max(1, round(waited / 60)), language))
                    else:
                        found.append(session.around.house.speech.file(text, language))
        except (SynthesisFailed, PromptMissing, ValueError) as error:
            log.warning("part of a whisper left out", queue=queue, part=part, error=str(error))
    return found


def _values(session: Session, queue: str) -> dict[str, str]:
    card = session.match.card
    now = session.call.now
    rule = session.snapshot.roster.queue(queue)
    customer = "" if card is None else str(card["company"] or card["name"])
    return {
        "queue": (rule.title if rule else "") or queue,
        "category": _CATEGORIES.get("" if card is None else str(card["category"]), ""),
        "customer": customer,
        "caller": customer,
        "number": re.sub(r"\D", "", now.from_number),
    }


def _prompt(session: Session, name: str) -> str:
    try:
        return _paths(session, [name])[0]
    except PromptMissing:
        return ""


def _paths(session: Session, names: Sequence[str]) -> list[str]:
    catalogue = session.around.catalogue
    return [str(path) for path in catalogue.paths(names, catalogue.default_language)]
