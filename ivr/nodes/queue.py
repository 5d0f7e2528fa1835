"""queue: wait for one of those who answer a queue, and talk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from ivr.node import Exit, Form, Node, Reference, node_type
from ivr.phone import QueueRequest, SentOn
from ivr.values import AddedPriority, FurtherSkills, QueueName
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
    `no_agent`, `full`, `exit_key`, `closed`; or by `callback`, when the caller is going to be called back, which usually leads
    nowhere too. Those that lead nowhere of their own lead where `otherwise` does.
    """

    form: ClassVar[Form] = Form(
        "Queue",
        "Lets the caller wait for one of those who answer a queue, and talk.",
        "connect",
        "stack-2",
    )

    type: Literal["queue"]
    queue: QueueName = Field(title="Queue")
    priority: AddedPriority = 0
    skills: FurtherSkills = Field(default_factory=dict)

    def ways(self) -> tuple[Exit, ...]:
        needed = any(way.name not in self.exits for way in _FAILURES)
        return (
            Exit("answered", ends=True, paced=True),
            Exit("callback", ends=True, paced=True),
            *_FAILURES,
            *([Exit("otherwise")] if needed else []),
        )

    def references(self) -> Iterator[Reference]:
        yield Reference("queue", self.queue)
        yield from (Reference("skill", skill) for skill in self.skills)

    def run(self, visit: Visit) -> str:
        ended = visit.phone.wait_in_queue(QueueRequest(self.queue, self.priority, self.skills))
        outcome = ended.outcome if isinstance(ended, SentOn) else ended
        if isinstance(ended, SentOn):
            visit.enters = (ended.flow, False)
        visit.mark("after_hours" if outcome == "closed" else outcome)
        return outcome
