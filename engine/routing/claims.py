"""The router's word made good: one Lua script writes a batch of decisions, if the tenure that made them is the present one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final, Literal

from conf.errors import PointsmanError
from engine.live import keys
from engine.live.wire import Wire
from engine.routing.events import (
    CloseOffer,
    Decision,
    MakeOffer,
    PlaceEntry,
    ReleaseEntry,
    RemoveAgent,
    SetAgent,
    encode,
)

LEASE_SECONDS: Final = 1.5
_KEYS: Final = (keys.ROUTER_EPOCH, keys.ROUTER_CURSOR, keys.WAITING, keys.OFFERS, keys.AGENTS, keys.ROUTER_LEASE)


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

    def write(self, decisions: Iterable[Decision], cursor: str) -> list[tuple[str, Literal["call", "agent"]]]:
        """Write the decisions in order, move the cursor (empty text leaves it) and renew the lease. Returns the offers
        that could not be made, each with what was not there any more. TenureLost, redis.RedisError."""
        operations = [operation for decision in decisions for operation in _operations(decision)]
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


def _operations(decision: Decision) -> Sequence[Sequence[Any]]:
    text = encode(decision).decode()
    if isinstance(decision, MakeOffer):
        agent = keys.agent(decision.agent_id)
        return [["offer", decision.offer_id, decision.entry_id, agent, keys.inbox(decision.owner), text]]
    if isinstance(decision, CloseOffer):
        close = ["close", decision.offer_id]
        return [close] if decision.owner is None else [close, ["tell", keys.inbox(decision.owner), text]]
    if isinstance(decision, ReleaseEntry | PlaceEntry):
        return [["tell", keys.inbox(decision.owner), text]]
    if isinstance(decision, SetAgent):
        notice = {"kind": "agent", "id": decision.agent_id, "item": agent_item(decision)}
        fields = [part for name, value in agent_item(decision).items() for part in (name, _text(value))]
        return [["agent", decision.agent_id, keys.agent(decision.agent_id), fields, encode(notice).decode()]]
    if isinstance(decision, RemoveAgent):
        gone = {"kind": "agent", "id": decision.agent_id, "item": None}
        return [["remove", decision.agent_id, keys.agent(decision.agent_id), encode(gone).decode()]]
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
    }


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
