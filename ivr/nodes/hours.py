"""hours: go one way while a calendar is open, another while it is closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from dialplan.hours import Open
from ivr.node import Exit, Form, Node, Reference, node_type
from ivr.shown import ADVANCED
from ivr.values import CalendarName
from ivr.visit import Visit


@node_type
class Hours(Node):
    """Leaves by `open`, or by why `calendar` is closed: `holiday`, `lunch`, `emergency` while it is closed by hand, or `closed`
    for all else and for those three where they lead nowhere of their own.

    A call that comes out closed and reaches nobody is counted as after hours. `counts` is turned off where the calendar only
    chooses words, such as a greeting by the part of the day.
    """

    form: ClassVar[Form] = Form(
        "Opening hours",
        "Goes one way while a calendar is open and another while it is closed.",
        "decide",
        "clock",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (
        Exit("open"),
        Exit("closed"),
        Exit("lunch", falls_to="closed"),
        Exit("holiday", falls_to="closed"),
        Exit("emergency", falls_to="closed"),
    )

    type: Literal["hours"]
    calendar: CalendarName = Field(title="Calendar")
    counts: bool = Field(
        default=True,
        title="Closed counts as after hours",
        description="Turn it off where the calendar only chooses words, such as a greeting by the part of the day.",
        json_schema_extra=ADVANCED,
    )

    def references(self) -> Iterator[Reference]:
        yield Reference("calendar", self.calendar)

    def run(self, visit: Visit) -> str:
        status = visit.status(self.calendar)
        if isinstance(status, Open):
            if self.counts:
                visit.unmark("after_hours")
            return "open"
        if self.counts:
            visit.mark("after_hours")
        return "closed" if status.reason == "hours" else status.reason
