"""An agent listens to the messages of their box on the desk phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import peewee
import structlog

from engine.records.voicemails import Voicemail
from engine.routing.roster import AgentProfile
from sounds import spoken

if TYPE_CHECKING:
    from engine.call.session import Session

KEY_SECONDS: Final = 5.0
MOST_TIMES: Final = 20
"""How often one message may be heard again in one call."""

log = structlog.get_logger(__name__)


def listen(session: Session, agent: AgentProfile) -> None:
    """Play what nobody has heard yet, one after the other: 1 plays it again, any other key or none goes on. What was played
    to its end counts as heard. CallGone when the agent hangs up."""
    voicemails = session.around.house.voicemails
    try:
        messages = voicemails.new(agent.extension)
    except peewee.PeeweeException as error:
        log.warning("messages not to be had", extension=agent.extension, error=str(error).strip())
        _say(session, "technical_fault")
        return
    if not messages:
        _say(session, "messages_none")
        return
    language = session.phone.language
    _say(session, "messages_count", *spoken.number(len(messages), language))
    for message in messages:
        _play(session, message)
        try:
            voicemails.listened(message.voicemail_id, agent.agent_id, session.clock.now())
        except peewee.PeeweeException as error:
            log.warning("message stays new", message=message.voicemail_id, error=str(error).strip())
    _say(session, "messages_end")


def _play(session: Session, message: Voicemail) -> None:
    phone, catalogue = session.phone, session.around.catalogue
    digits = "".join(key for key in message.caller_number if key.isdigit())
    who = catalogue.paths(["message_from", *spoken.digits(digits, phone.language)], phone.language) if digits else []
    menu = catalogue.paths(["message_menu"], phone.language)
    for _ in range(MOST_TIMES):
        pressed = phone.gather(
            [*map(str, who), str(session.around.media.file(message.path)), *map(str, menu)],
            most=1,
            first_digit_seconds=KEY_SECONDS,
            next_digit_seconds=1.0,
            terminators="",
        )
        if pressed.digits != "1":
            return


def _say(session: Session, *prompts: str) -> None:
    session.phone.play([str(path) for path in session.around.catalogue.paths(prompts, session.phone.language)])
