"""What a prompt list may hold: names of prompts, and things that are put into words when the caller hears them.

In a document an item is a prompt's name (`welcome`), or an object whose `say` names what is said:
`{say: opening_hours, calendar: Office}`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from dialplan import hours
from dialplan.hours import Closed
from sounds import spoken

if TYPE_CHECKING:
    from ivr.visit import Visit


class Say(BaseModel):
    """Something that is said in words of its own each time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    say: str
    calendar: str

    @abstractmethod
    def names(self, visit: Visit) -> list[str]:
        """The prompts that say it now, in their order."""


class SayOpeningHours(Say):
    """The week's opening times of a calendar."""

    say: Literal["opening_hours"]

    def names(self, visit: Visit) -> list[str]:
        return spoken.week(hours.week(visit.calendar(self.calendar)), visit.language)


class SayReopening(Say):
    """When a closed calendar opens again; nothing while it is open, or where it never opens."""

    say: Literal["reopening"]

    def names(self, visit: Visit) -> list[str]:
        status = visit.status(self.calendar)
        opens = status.opens_at if isinstance(status, Closed) else None
        if opens is None:
            return []
        return spoken.reopening(opens, visit.now().astimezone(opens.tzinfo), visit.language)


class SayHoliday(Say):
    """That it is closed today for the holiday of this name; nothing on any other day."""

    say: Literal["holiday"]

    def names(self, visit: Visit) -> list[str]:
        status = visit.status(self.calendar)
        return spoken.holiday(status.name, visit.language) if isinstance(status, Closed) and status.name else []


PromptName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,79}$")]
AnySay = Annotated[SayOpeningHours | SayReopening | SayHoliday, Field(discriminator="say")]
Prompts = tuple[PromptName | AnySay, ...]
"""What is spoken, one after the other."""


def prompt_names(prompts: Sequence[str | Say]) -> Iterator[str]:
    """The prompts that are named outright."""
    return (item for item in prompts if isinstance(item, str))


def calendars(prompts: Sequence[str | Say]) -> Iterator[str]:
    """The calendars that something is said of."""
    return (item.calendar for item in prompts if isinstance(item, Say))
