"""Which call it is that FreeSWITCH hands over: a new one, or one that another process had till now."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import structlog

from dialplan import feature_codes, numbers
from engine.call import recovery
from engine.call.call import Call
from engine.call.callback_ring import offer_of
from engine.call.checkpoint import Checkpoint
from engine.call.configuration import Snapshot
from engine.call.surroundings import Surroundings
from engine.esl.errors import CallGone
from engine.esl.frames import Event, Frame
from engine.esl.outbound import CallLink
from engine.live import keys
from engine.records.facts import Direction
from engine.routing.events import TakenOver, encode

CONNECT_SECONDS = 10.0
RINGING = ("offer", "callback")
"""The states in which the other party may have answered while nobody listened: an agent, or a customer who is called back."""

log = structlog.get_logger(__name__)


def printable(text: str) -> str:
    """Foreign text without what cannot be printed; a single NUL in it would keep the call out of Postgres."""
    return "".join(filter(str.isprintable, text))


def connected(link: CallLink) -> Frame:
    """What FreeSWITCH tells of the leg. CallGone for one whose name no record could bear."""
    data = link.connect(CONNECT_SECONDS)
    try:
        UUID(link.uuid)
    except ValueError:
        log.error("a call whose name is no uuid is not taken", call=link.uuid[:80])
        link.close()
        raise CallGone from None
    return data


def new_call(
    around: Surroundings, snapshot: Snapshot, call_id: str, switch: str, data: Frame, *, own: str = ""
) -> Call:
    """The call that FreeSWITCH tells of, from the desk phone `own` if any, with its beginning written down. CallGone for one
    that is not to be."""
    callback_id = data.get("variable_pointsman_callback")
    if callback_id:
        return _calls_back(around, callback_id, call_id, switch)
    now = around.clock.now()
    checkpoint = introduced(
        snapshot, call_id, switch, data, at=now, owner=around.process_id, country=around.country, own=own
    )
    call = _made(around, checkpoint)
    call.began()
    return call


def introduced(
    snapshot: Snapshot,
    call_id: str,
    switch: str,
    data: Frame | Event,
    *,
    at: datetime,
    owner: str,
    country: str,
    own: str = "",
) -> Checkpoint:
    """Who calls whom, as it stands in the data of the caller's leg; a call that begins at `at`."""
    caller = numbers.normalise(data.get("Caller-Caller-ID-Number") or "", country)
    called = data.get("Caller-Destination-Number") or ""
    number = snapshot.plan.number(called)
    extension = numbers.normalise(called, country)
    direction: Direction = "inbound"
    if caller in snapshot.plan.extensions:
        direction = "internal" if number is not None or extension in snapshot.plan.extensions else "outbound"
    name = number.name if number is not None else ""
    feature = feature_codes.match(called) if own else None
    if feature is not None:
        direction, extension, name = "internal", called, feature[0].title
    return Checkpoint(
        call_id=call_id,
        owner=owner,
        started_at=at,
        since=at,
        direction=direction,
        from_number=caller,
        to_number=number.number if number is not None else extension,
        number_name=name,
        caller_name=printable(data.get("Caller-Caller-ID-Name") or "")[:80],
        switch=switch,
    )


def _calls_back(around: Surroundings, callback_id: str, call_id: str, switch: str) -> Call:
    """An agent has picked up to call a customer back. The call began when the first phone rang for it."""
    callback = around.callbacks.take(callback_id, call_id)
    offer = None if callback is None else offer_of(callback)
    if callback is None or offer is None:
        log.warning("nobody is to be called back on this leg", callback=callback_id, call=call_id)
        raise CallGone("NORMAL_CLEARING")
    began = datetime.fromtimestamp(callback.tried_at or offer.at, UTC)
    call = _made(
        around,
        Checkpoint(
            call_id=call_id,
            owner=around.process_id,
            started_at=began,
            since=began,
            direction="outbound",
            from_number=offer.extension,
            to_number=callback.number,
            caller_name=offer.agent_name,
            customer_name=callback.name or None,
            switch=switch,
            callback_id=callback_id,
            queue=callback.queue,
            last_queue=callback.queue,
            offer_id=offer.offer_id,
            agent_id=offer.agent_id,
            agent=offer.agent_name,
            extension=offer.extension,
        ),
    )
    call.began()
    return call


def taken_over(around: Surroundings, checkpoint: Checkpoint, data: Frame) -> Call:
    """The call as its former owner left it, owned by this process from now on."""
    joined = data.get("variable_last_bridge_to") or ""
    ours = joined != "" and (joined == checkpoint.offer_id or joined in checkpoint.beside)
    talks = checkpoint.state in RINGING and ours
    log.warning(
        "call taken over",
        call=checkpoint.call_id,
        state=checkpoint.state,
        from_=checkpoint.owner,
        # A talk or a message went on meanwhile, and the caller was not without anybody for as long as that took.
        by_itself=talks or checkpoint.state == "talk" or checkpoint.message is not None,
    )
    if checkpoint.owner != around.process_id:
        taken = TakenOver(at=around.clock.timestamp(), call_id=checkpoint.call_id, owner=around.process_id)
        inbox = keys.inbox(checkpoint.owner)
        around.outbox.put("RPUSH", inbox, encode(taken).decode())
        around.outbox.put("EXPIRE", inbox, 60)
    checkpoint.owner = around.process_id
    checkpoint.lost_at = None
    call = _made(around, checkpoint)
    # What the former owner wrote down last may have died with it, even that there is a call.
    call.tell_beginning()
    if talks:
        call.talk_found(joined, recovery.bridged_at(data))
    call.show()
    return call


def _made(around: Surroundings, checkpoint: Checkpoint) -> Call:
    return Call(checkpoint, journal=around.journal, outbox=around.outbox, notices=around.notices, clock=around.clock)
