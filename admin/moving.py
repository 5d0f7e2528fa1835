"""Callers who wait, put elsewhere by a supervisor: the same checks for the live page and the API.

The router does it; whoever asks sees it on the board. What it is asked of a caller who has left meanwhile changes nothing.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from admin.access import Viewer
from admin.forms import Refused
from admin.parts import Parts
from engine.live import requests


class MoveIn(BaseModel):
    queue: str = Field(title="Queue", min_length=1, description="The queue's name; the whole wait counts there.")


class AssignIn(BaseModel):
    agent_id: int = Field(title="Agent", description="Who gets the caller as soon as they are free.")


class ReorderIn(BaseModel):
    before: UUID | None = Field(default=None, title="Before", description="Another entry of the queue; null: the end.")


def _waiting(parts: Parts, entry_id: str) -> dict[str, Any]:
    call = parts.board.entry(entry_id)
    if call is None:
        raise Refused("", "The caller does not wait any more.")
    return call


def move(parts: Parts, viewer: Viewer, entry_id: str, wanted: MoveIn) -> None:
    """To another queue. Refused where that is none, or where the caller waits no more; redis.RedisError when Redis is away."""
    call = _waiting(parts, entry_id)
    if not parts.db.execute_sql("SELECT 1 FROM queue WHERE name = %s", (wanted.queue,)).fetchone():
        raise Refused("queue", f"There is no queue {wanted.queue:.40}.")
    if call.get("queue") == wanted.queue:
        raise Refused("queue", "The caller is in that queue already.")
    requests.move_entry(parts.redis, entry_id, wanted.queue, by=viewer.name, at=parts.clock.now())


def assign(parts: Parts, viewer: Viewer, entry_id: str, wanted: AssignIn) -> None:
    """To one agent. Refused where the agent is not there or not logged in."""
    _waiting(parts, entry_id)
    agent = parts.board.agent(wanted.agent_id)
    if agent is None or agent.get("presence") in (None, "offline"):
        raise Refused("agent_id", "That agent is not logged in.")
    requests.assign_entry(parts.redis, entry_id, wanted.agent_id, by=viewer.name, at=parts.clock.now())


def reorder(parts: Parts, viewer: Viewer, entry_id: str, wanted: ReorderIn) -> None:
    """Right before another caller of the same queue, or to its end. Refused where the two wait in different queues."""
    call = _waiting(parts, entry_id)
    if wanted.before is not None and _waiting(parts, str(wanted.before)).get("queue") != call.get("queue"):
        raise Refused("before", "The two wait in different queues. Move the caller there first.")
    before = None if wanted.before is None else str(wanted.before)
    requests.reorder_entry(parts.redis, entry_id, before=before, by=viewer.name, at=parts.clock.now())
