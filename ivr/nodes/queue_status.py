"""queue_status: go by how a queue stands, before entering it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from ivr.node import Exit, Node, Reference, node_type
from ivr.visit import Visit


@node_type
class QueueStatus(Node):
    """Leaves by `unstaffed` where nobody who may take the queue's calls is there; by `free` where one of them could take a
    call now and nobody waits; by `long` where `long_from` calls wait or more; else by `waiting`. `free` and `long` lead where
    `waiting` does if nowhere of their own. Sets `queue_waiting`, `queue_staffed` and `queue_free`."""

    own_exits: ClassVar[tuple[Exit, ...]] = (
        Exit("free", falls_to="waiting"),
        Exit("waiting"),
        Exit("long", falls_to="waiting"),
        Exit("unstaffed"),
    )
    asks_the_house: ClassVar[bool] = True

    type: Literal["queue_status"]
    queue: str
    long_from: int = Field(default=10, ge=1, le=100_000)

    def references(self) -> Iterator[Reference]:
        yield Reference("queue", self.queue)

    def sets(self) -> Iterator[str]:
        return iter(("queue_waiting", "queue_staffed", "queue_free"))

    def run(self, visit: Visit) -> str:
        status = visit.phone.office.queue_status(self.queue)
        visit.set("queue_waiting", status.waiting)
        visit.set("queue_staffed", status.staffed)
        visit.set("queue_free", status.free)
        if not status.staffed:
            return "unstaffed"
        if status.waiting >= self.long_from:
            return "long"
        return "free" if status.free and not status.waiting else "waiting"
