"""An admin records a prompt on a desk phone: the number that the library gave is dialled behind PROMPT_CODE, or dialled for
them once the phone that they named is picked up."""

from __future__ import annotations

import tempfile
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import gevent
import msgspec
import peewee
import structlog

from conf.errors import PointsmanError
from dialplan.feature_codes import PROMPT_CODE
from engine.call.audible import playable
from engine.call.leg import shown
from engine.call.switches import Switches
from engine.esl import commands
from engine.esl.errors import CallGone, EslError
from engine.live import keys, prompt_recording
from engine.live.connection import Redis, RedisError
from engine.live.list_reader import ListReader
from engine.live.prompt_recording import RingAndDial, Ticket, TicketState
from engine.routing.roster import AgentProfile
from sounds import apart
from sounds.errors import AudioUnusable, PromptMissing, TextsBroken

if TYPE_CHECKING:
    from engine.call.session import Session

MOST_SECONDS: Final = 300
MOST_TAKES: Final = 10
MOST_TIMES: Final = 20
"""How often one take may be heard."""

KEY_SECONDS: Final = 15.0
RING_SECONDS: Final = 30
SILENCE_LEVEL: Final = 200
SILENCE_SECONDS: Final = 10
"""Whoever is silent for so long has finished."""

GRACE_SECONDS: Final = 10.0

log = structlog.get_logger(__name__)


def record(session: Session, _: AgentProfile, number: str) -> None:
    """Lead through the recording that the ticket of this number permits: speak, listen, keep it or try again. CallGone when the
    phone is hung up; what was not kept is gone then."""
    try:
        ticket = prompt_recording.find_ticket(session.around.redis, number)
    except (RedisError, OSError) as error:
        log.warning("tickets not to be had", error=str(error))
        _say(session, "technical_fault")
        return
    if ticket is None or ticket.state in ("saved", "recording"):
        _say(session, "record_prompt_unknown")
        return
    _tell(session, ticket, "recording")
    folder = session.around.media.file("prompts")
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    take = folder / f"{uuid.uuid4()}.wav"
    kept = False
    try:
        with session.own.on_the_phone():
            kept = _takes(session, ticket, take)
    finally:
        take.unlink(missing_ok=True)
        if not kept:
            _tell(session, ticket, "failed", said="It was hung up before a recording was kept. Nothing was changed.")


def _takes(session: Session, ticket: Ticket, take: Path) -> bool:
    """One take after the other till one is kept; whether it is."""
    for _ in range(MOST_TAKES):
        _say(session, "record_prompt_begin", "tone")
        _record(session, take)
        if session.around.media.seconds(str(take), most=MOST_SECONDS) < 0.3:
            _say(session, "voicemail_too_short")
            continue
        if _wanted(session, take) and _keep(session, ticket, take):
            return True
    return False


def _wanted(session: Session, take: Path) -> bool:
    """Play the take till 1 keeps it or 2 asks for another one; any other key plays it again."""
    menu = _files(session, "record_prompt_menu")
    for _ in range(MOST_TIMES):
        pressed = session.phone.gather(
            [str(take), *menu], most=1, first_digit_seconds=KEY_SECONDS, next_digit_seconds=1.0, terminators=""
        ).digits
        if pressed in ("1", "2"):
            return pressed == "1"
    raise CallGone("nobody chooses")


def _keep(session: Session, ticket: Ticket, take: Path) -> bool:
    """Put the take into the library; whether it could be."""
    library = session.around.house.prompts
    try:
        with tempfile.TemporaryDirectory(prefix="pointsman-prompt-") as folder, library.connected():
            target = Path(folder, "prompt.wav")
            done = apart.convert(take, target, name="the recording")
            version = library.keep(
                ticket.name,
                ticket.language,
                target,
                author=ticket.author,
                at=session.clock.now(),
                origin="phone",
                was=done.was,
            )
    except (AudioUnusable, TextsBroken) as fault:
        log.warning("a prompt was not recorded", prompt=ticket.name, why=str(fault))
        _say(session, "voicemail_too_short")
        return False
    except (peewee.PeeweeException, PointsmanError) as fault:
        log.error("a prompt was not kept", prompt=ticket.name, why=str(fault).strip())
        _say(session, "technical_fault")
        return False
    log.info("a prompt was recorded by telephone", prompt=ticket.name, language=ticket.language, by=ticket.author)
    done_ticket = msgspec.structs.replace(ticket, state="saved", version=version, seconds=round(done.seconds, 3))
    with suppress(RedisError, OSError):
        prompt_recording.tell(session.around.redis, done_ticket)
    _say(session, "record_prompt_saved")
    return True


def _record(session: Session, take: Path) -> None:
    link, clock = session.link, session.clock
    # As for a message (engine.call.phone): broken off by a lost socket `record` would hang up.
    link.execute("multiset", "^^;playback_terminators=#;socket_resume=false", lock=True)
    argument = f"{playable([take])} {MOST_SECONDS} {SILENCE_LEVEL} {SILENCE_SECONDS}"
    recording = link.execute("record", argument, lock=True)
    # The switch may write the file when the phone is down already; only then can it be thrown away.
    recording.wait(clock.wall_seconds(MOST_SECONDS) + GRACE_SECONDS, after_hangup=True)
    if link.gone:
        raise CallGone(link.hangup_cause)
    link.execute("multiset", "^^;playback_terminators=none;socket_resume=true", lock=True)


def _tell(session: Session, ticket: Ticket, state: TicketState, said: str = "") -> None:
    with suppress(RedisError, OSError):
        prompt_recording.tell(session.around.redis, msgspec.structs.replace(ticket, state=state, said=said))


def _say(session: Session, *prompts: str) -> None:
    session.phone.play(_files(session, *prompts))


def _files(session: Session, *prompts: str) -> list[str]:
    try:
        return session.around.catalogue.paths(prompts, session.phone.language)
    except PromptMissing as error:
        log.error("not said", error=str(error))
        return []


class Requests:
    """Does what the admin asks of any engine process: rings a phone and dials for it."""

    def __init__(self, redis_url: str, redis: Redis, switches: Switches) -> None:
        self._redis = redis
        self._switches = switches
        self._reader = ListReader(redis_url, keys.REQUESTS, self._begin, at_once=1)
        self._ringing: list[gevent.Greenlet[..., None]] = []

    def start(self) -> None:
        self._reader.start()

    def stop(self) -> None:
        self._reader.stop()
        gevent.killall(self._ringing)

    def _begin(self, text: str) -> None:
        request = msgspec.json.decode(text, type=RingAndDial)
        self._ringing = [each for each in self._ringing if not each.dead]
        self._ringing.append(gevent.spawn(self._ring, request))

    def _ring(self, request: RingAndDial) -> None:
        """Ring the phone and hand it to the dialplan, as if it had dialled."""
        _, control = next(iter(self._switches))
        values = {
            "originate_timeout": str(RING_SECONDS),
            "ignore_early_media": "true",
            "origination_caller_id_number": request.extension,
            "origination_caller_id_name": shown(request.shown),
            "pointsman_extension": request.extension,
        }
        line = commands.originate(f"user/{request.extension}", values, f"&transfer({request.number} XML phones)")
        try:
            control.bgapi(line, RING_SECONDS + GRACE_SECONDS)
        except EslError as error:
            log.info("a phone was not picked up", extension=request.extension, error=str(error))
            self._failed(request)

    def _failed(self, request: RingAndDial) -> None:
        with suppress(RedisError, OSError):
            ticket = prompt_recording.find_ticket(self._redis, request.number.removeprefix(PROMPT_CODE))
            if ticket is not None and ticket.state == "ringing":
                said = f"The phone {request.extension} was not picked up, or is not signed in. Try again, or dial the number."
                prompt_recording.tell(self._redis, msgspec.structs.replace(ticket, state="failed", said=said))
