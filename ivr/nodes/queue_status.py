"""queue_status: go by how a queue stands, before entering it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from ivr.node import Exit, Form, Node, Reference, node_type
from ivr.shown import SECONDS
from ivr.values import QueueName
from ivr.visit import Visit

SETS = ("queue_waiting", "queue_staffed", "queue_free", "queue_wait_seconds", "queue_wait_minutes")


@node_type
class QueueStatus(Node):
    """Leaves by `unstaffed` where nobody who may take the queue's calls is there; by `free` where one of them could take a
    call now and nobody waits; by `long` where `long_from` calls wait or more, or a new one would be expected to wait
    `long_from_seconds` or more; else by `waiting`. `free` and `long` lead where `waiting` does if nowhere of their own. Sets
    `queue_waiting`, `queue_staffed` and `queue_free`, and, where the wait can be told, `queue_wait_seconds` and
    `queue_wait_minutes`, the latter rounded up."""

    form: ClassVar[Form] = Form(
        "How is the queue?",
        "Goes by how a queue stands: who is there, how many wait, how long it may take.",
        "decide",
        "gauge",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (
        Exit("free", falls_to="waiting"),
        Exit("waiting"),
        Exit("long", falls_to="waiting"),
        Exit("unstaffed"),
    )
    asks_the_house: ClassVar[bool] = True

    type: Literal["queue_status"]
    queue: QueueName = Field(title="Queue")
    long_from: int = Field(
        default=10,
        ge=1,
        le=100_000,
        title="Long from so many waiting",
        description="From here on callers leave by `long`.",
    )
    long_from_seconds: float | None = Field(
        default=None,
        ge=1,
        le=86_400,
        title="Or from so long a wait",
        description="The expected wait, where it can be told.",
        json_schema_extra=SECONDS,
    )

    def references(self) -> Iterator[Reference]:
        yield Reference("queue", self.queue)

    def sets(self) -> Iterator[str]:
        return iter(SETS)

    def run(self, visit: Visit) -> str:
        status = visit.phone.office.queue_status(self.queue)
        visit.set("queue_waiting", status.waiting)
        visit.set("queue_staffed", status.staffed)
        visit.set("queue_free", status.free)
        for name in ("queue_wait_seconds", "queue_wait_minutes"):
            visit.forget(name)
        if status.wait_seconds is not None:
            visit.set("queue_wait_seconds", round(status.wait_seconds))
            visit.set("queue_wait_minutes", max(1, math.ceil(status.wait_seconds / 60)))
        if not status.staffed:
            return "unstaffed"
        long = self.long_from_seconds is not None and (status.wait_seconds or 0.0) >= self.long_from_seconds
        if long or status.waiting >= self.long_from:
            return "long"
        return "free" if status.free and not status.waiting else "waiting"
