"""The router's word made good: one Lua script writes a batch of decisions, if the tenure that made them is the present one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final, Literal

import msgspec
import structlog

from conf.errors import PointsmanError
from engine.live import keys
from engine.live.wire import Wire
from engine.routing.events import (
    AnswerDryRun,
    CloseOffer,
    CloseWrapUp,
    Decision,
    KeepPlace,
    MakeOffer,
    PlaceEntry,
    ReleaseEntry,
    RemoveAgent,
    SetAgent,
    TellPace,
    encode,
)

LEASE_SECONDS: Final = 1.5
_KEYS: Final = (
    keys.ROUTER_EPOCH,
    keys.ROUTER_CURSOR,
    keys.WAITING,
    keys.OFFERS,
    keys.AGENTS,
    keys.ROUTER_LEASE,
    keys.ROUTER_WRITTEN,
)


log = structlog.get_logger(__name__)


class TenureLost(PointsmanError):
    """Another process holds the router now; nothing of the batch was written."""


def instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


class Claims:
    """Writes decisions for the tenure `epoch` of the process `process_id`."""

    def __init__(self, wire: Wire, process_id: str, epoch: int) -> None:
        self._wire = wire
        script = files("engine.routing").joinpath("commit.lua").read_text(encoding="utf-8")
        self._digest = wire.ask("SCRIPT", "LOAD", script)
        self._process_id = process_id
        self._epoch = epoch

    def write(
        self, decisions: Iterable[Decision], cursor: str, *, never_made: Collection[str] = ()
    ) -> list[tuple[str, Literal["call", "agent"]]]:
        """Write the decisions in order, move the cursor (empty text leaves it) and renew the lease. Returns the offers
        that could not be made, each with what was not there any more; the end of those `never_made` before is not to be
        written down. TenureLost, redis.RedisError."""
        operations = [operation for decision in decisions for operation in _operations(decision, never_made)]
        answer = self._wire.ask(
            "EVALSHA",
            self._digest,
            len(_KEYS),
            *_KEYS,
            self._epoch,
            cursor,
            self._process_id,
            int(LEASE_SECONDS * 1000),
            encode(operations),
        )
        if answer[0] != str(self._epoch):
            raise TenureLost(f"epoch {self._epoch} is over, {answer[0] or 'none'} is in force")
        return list(zip(answer[1::2], answer[2::2], strict=True))


def written(wire: Wire) -> list[Decision]:
    """What the last batch means for the records, whichever tenure wrote it; of offers only their ends, for those made stand
    in Redis by themselves. Its process may have died before it wrote that down. redis.RedisError."""
    found: list[Decision] = []
    try:
        for operation in msgspec.json.decode(wire.ask("GET", keys.ROUTER_WRITTEN) or "[]"):
            if operation[0] in ("close", "note") and operation[-1]:
                found.append(msgspec.json.decode(operation[-1], type=CloseOffer | CloseWrapUp))
            elif operation[0] == "agent":
                found.append(_agent_set(dict(zip(operation[3][::2], operation[3][1::2], strict=True))))
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
        log.error("the last batch is not understood", error=str(error))
    return found


def _agent_set(fields: Mapping[str, str]) -> SetAgent:
    state = agent_state(fields)
    return msgspec.convert(
        {"agent_id": int(fields["agent_id"]), "name": fields["name"], "extension": fields["extension"]}
        | {"at": state["since"], "decision": "SetAgent", **state},
        SetAgent,
    )


def agent_state(fields: Mapping[str, str], now: float = 0.0) -> dict[str, Any]:
    """An agent's state as their hash tells of it, by the names that SetAgent and AgentSeen share. Instants in Unix seconds;
    `now` stands in for those that must be there and are not."""

    def seconds(name: str) -> float | None:
        return datetime.fromisoformat(fields[name]).timestamp() if fields.get(name) else None

    since = seconds("since") or now
    return {
        "presence": fields["presence"],
        "work": fields.get("work") or "idle",
        "since": since,
        "idle_since": seconds("idle_since") or since,
        "until": seconds("wrap_until"),
        "rest_until": seconds("rest_until"),
        "offered_at": seconds("offered_at") or 0.0,
        "calls": int(fields.get("calls") or 0),
        "talk_seconds": float(fields.get("talk_seconds") or 0.0),
        "misses": msgspec.json.decode(fields.get("misses") or "{}"),
        "beside": msgspec.json.decode(fields.get("beside") or "{}"),
        "owed": msgspec.json.decode(fields["owed"]) if fields.get("owed") else None,
    } | {name: fields.get(name) or None for name in _TEXTS}


_TEXTS: Final = ("reason", "call_id", "offer_id", "queue", "wanted", "wanted_reason")


def _operations(decision: Decision, never_made: Collection[str]) -> Sequence[Sequence[Any]]:
    text = encode(decision).decode()
    if isinstance(decision, MakeOffer):
        agent = keys.agent(decision.agent_id)
        return [["offer", decision.offer_id, decision.entry_id, agent, keys.inbox(decision.owner), text]]
    if isinstance(decision, CloseOffer):
        close = ["close", decision.offer_id, "" if decision.offer_id in never_made else text]
        return [close] if decision.owner is None else [close, ["tell", keys.inbox(decision.owner), text]]
    if isinstance(decision, PlaceEntry):
        tell = ["tell", keys.inbox(decision.owner), text]
        return [["place", keys.queue(decision.queue), decision.rank, decision.entry_id], tell]
    if isinstance(decision, ReleaseEntry):
        return [["tell", keys.inbox(decision.owner), text]]
    if isinstance(decision, SetAgent):
        notice = {"kind": "agent", "id": decision.agent_id, "item": agent_item(decision)}
        fields = [part for name, value in agent_item(decision).items() for part in (name, _text(value))]
        return [["agent", decision.agent_id, keys.agent(decision.agent_id), fields, encode(notice).decode()]]
    if isinstance(decision, RemoveAgent):
        gone = {"kind": "agent", "id": decision.agent_id, "item": None}
        return [["remove", decision.agent_id, keys.agent(decision.agent_id), encode(gone).decode()]]
    if isinstance(decision, CloseWrapUp):
        return [["note", text]]
    if isinstance(decision, KeepPlace):
        kept = encode([decision.place_at, decision.until]).decode() if decision.until > decision.at else ""
        return [["keep", keys.PLACES, f"{decision.queue}|{decision.caller}", kept]]
    if isinstance(decision, TellPace):
        return [["keep", keys.PACES, decision.queue, encode(decision.pace).decode()]]
    if isinstance(decision, AnswerDryRun):
        return [["answer", keys.reply(decision.ask_id), encode(decision.answer).decode()]]
    return []


def agent_item(state: SetAgent) -> dict[str, Any]:
    """An agent's state as boards show it; `since` and the like in ISO 8601, `…_at` figures for the next tenure."""
    return {
        "agent_id": state.agent_id,
        "name": state.name,
        "extension": state.extension,
        "presence": state.presence,
        "work": state.work,
        "reason": state.reason,
        "since": instant(state.since),
        "idle_since": instant(state.idle_since),
        "call_id": state.call_id,
        "offer_id": state.offer_id,
        "queue": state.queue,
        "wrap_until": None if state.until is None else instant(state.until),
        "wanted": state.wanted,
        "wanted_reason": state.wanted_reason,
        "rest_until": None if state.rest_until is None else instant(state.rest_until),
        "offered_at": instant(state.offered_at) if state.offered_at else None,
        "calls": state.calls,
        "talk_seconds": state.talk_seconds,
        "misses": dict(state.misses),
        "beside": dict(state.beside),
        "owed": None if state.owed is None else list(state.owed),
    }


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return encode(value).decode() if value else ""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
