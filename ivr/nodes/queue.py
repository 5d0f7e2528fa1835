"""queue: wait for one of those who answer a queue, and talk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from ivr.node import Exit, Node, Reference, node_type
from ivr.phone import QueueRequest
from ivr.visit import Visit

_FAILURES = (
    Exit("timeout", paced=True, falls_to="otherwise"),
    Exit("no_agent", falls_to="otherwise"),
    Exit("full", falls_to="otherwise"),
    Exit("exit_key", paced=True, falls_to="otherwise"),
    Exit("closed", falls_to="otherwise"),
)


@node_type
class Queue(Node):
    """Puts the call into `queue`, `priority` above the queue's own, with further `skills` (name -> least level).

    Leaves by `answered` when the talk is over, which usually leads nowhere; else by why nobody answered: `timeout`,
    `no_agent`, `full`, `exit_key`, `closed`. Those that lead nowhere of their own lead where `otherwise` does.
    """

    type: Literal["queue"]
    queue: str
    priority: int = Field(default=0, ge=-1000, le=1000)
    skills: dict[str, Annotated[int, Field(ge=1, le=5)]] = Field(default_factory=dict)

    def ways(self) -> tuple[Exit, ...]:
        needed = any(way.name not in self.exits for way in _FAILURES)
        return (Exit("answered", ends=True, paced=True), *_FAILURES, *([Exit("otherwise")] if needed else []))

    def references(self) -> Iterator[Reference]:
        yield Reference("queue", self.queue)

    def run(self, visit: Visit) -> str:
        outcome = visit.phone.wait_in_queue(QueueRequest(self.queue, self.priority, self.skills))
        visit.mark("after_hours" if outcome == "closed" else outcome)
        return outcome
