"""What a prompt list may hold: names of prompts, and things that are put into words when the caller hears them.

In a document an item is a prompt's name (`welcome`), or an object whose `say` names what is said:
`{say: opening_hours, calendar: Office}`, `{say: money, value: "{debt}", currency: EUR}`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, get_args
from zoneinfo import ZoneInfo

import structlog
from pydantic import BaseModel, ConfigDict, Field, field_validator

from dialplan import hours
from dialplan.hours import Closed
from ivr.errors import NodeFailed
from ivr.shown import shown_as
from ivr.values import CalendarName, TemplateOrNumber, ZoneName, as_number, as_text, names_in
from sounds import spoken
from sounds.errors import PromptMissing

if TYPE_CHECKING:
    from ivr.visit import Visit

log = structlog.get_logger(__name__)

LONGEST_TEXT = 300
"""Characters that are spoken of a text."""


class Say(BaseModel):
    """Something that is said in words of its own each time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: ClassVar[str]
    """What people call it."""

    say: str

    @abstractmethod
    def names(self, visit: Visit, language: str) -> list[str]:
        """The prompts that say it now, in their order. NodeFailed where it cannot be said."""

    def files(self, visit: Visit, language: str) -> list[str]:
        """The files that say it now."""
        return visit.paths(self.names(visit, language), language)

    def calendars(self) -> Iterator[str]:
        """The calendars it is said of."""
        return iter(())

    def variables(self) -> Iterator[str]:
        """The variables it is said of."""
        return iter(())


class SayOfCalendar(Say):
    """The base of what is said of a calendar."""

    calendar: CalendarName = Field(title="Calendar")

    def calendars(self) -> Iterator[str]:
        yield self.calendar


class SayOpeningHours(SayOfCalendar):
    """The week's opening times of a calendar."""

    label: ClassVar[str] = "The opening hours"
    say: Literal["opening_hours"]

    def names(self, visit: Visit, language: str) -> list[str]:
        return spoken.week(hours.week(visit.calendar(self.calendar)), language)


class SayReopening(SayOfCalendar):
    """When a closed calendar opens again; nothing while it is open, or where it never opens."""

    label: ClassVar[str] = "When it opens again"
    say: Literal["reopening"]

    def names(self, visit: Visit, language: str) -> list[str]:
        status = visit.status(self.calendar)
        opens = status.opens_at if isinstance(status, Closed) else None
        if opens is None:
            return []
        return spoken.reopening(opens, visit.now().astimezone(opens.tzinfo), language)


class SayWhyClosed(SayOfCalendar):
    """The base of what is said of a closed calendar: its own prompt where it has one that can be played, else the words."""

    def files(self, visit: Visit, language: str) -> list[str]:
        status = visit.status(self.calendar)
        if not isinstance(status, Closed) or not self.fits(status):
            return []
        if status.prompt:
            try:
                return visit.paths([status.prompt], language)
            except PromptMissing as error:
                log.warning("a calendar's prompt is missing", calendar=self.calendar, why=str(error))
        return visit.paths(self.words(status, language), language)

    def names(self, visit: Visit, language: str) -> list[str]:
        status = visit.status(self.calendar)
        return self.words(status, language) if isinstance(status, Closed) and self.fits(status) else []

    def fits(self, status: Closed) -> bool:  # noqa: ARG002  # for those that say nothing of some reasons
        """Whether anything is said of this reason."""
        return True

    @abstractmethod
    def words(self, status: Closed, language: str) -> list[str]:
        """The prompts that say it where the calendar has none of its own."""


class SayHoliday(SayWhyClosed):
    """That it is closed today for the holiday of this name; nothing on any other day."""

    label: ClassVar[str] = "The holiday's name, if today is one"
    say: Literal["holiday"]

    def fits(self, status: Closed) -> bool:
        return status.reason == "holiday"

    def words(self, status: Closed, language: str) -> list[str]:
        return spoken.holiday(status.name, language)


class SayClosed(SayWhyClosed):
    """Why it is closed: after hours, lunch, the holiday by its name, at short notice; nothing while it is open."""

    label: ClassVar[str] = "Why it is closed"
    say: Literal["closed"]

    def words(self, status: Closed, language: str) -> list[str]:
        if status.reason == "holiday":
            return spoken.holiday(status.name, language)
        return [f"closed_{status.reason}"]


class SayValue(Say):
    """The base of what is said of a value: a number as such, or a text with variables in it."""

    value: TemplateOrNumber = Field(title="What")

    def variables(self) -> Iterator[str]:
        if isinstance(self.value, str):
            yield from names_in(self.value)

    def text(self, visit: Visit) -> str:
        """The value now."""
        return visit.fill(self.value) if isinstance(self.value, str) else as_text(self.value)


class SayNumber(SayValue):
    """A whole number: one hundred and five."""

    label: ClassVar[str] = "A number"
    say: Literal["number"]

    def names(self, visit: Visit, language: str) -> list[str]:
        number = as_number(self.text(visit))
        if number is None or number != int(number):
            raise NodeFailed(f"{self.text(visit)[:40]!r} is no whole number to be said")
        return spoken.number(int(number), language)


class SayDigits(SayValue):
    """Digits and keys one by one."""

    label: ClassVar[str] = "Digits, one by one"
    say: Literal["digits"]

    def names(self, visit: Visit, language: str) -> list[str]:
        names = spoken.digits(self.text(visit), language)
        if not names:
            raise NodeFailed("there are no digits to be said")
        return names


class SayMoney(SayValue):
    """An amount of money to the hundredth, in the words of its currency."""

    label: ClassVar[str] = "An amount of money"
    say: Literal["money"]
    currency: Literal["CNY", "DKK", "EUR", "GBP", "PLN", "USD"] = Field(title="Currency")

    def names(self, visit: Visit, language: str) -> list[str]:
        amount = as_number(self.text(visit))
        if amount is None:
            raise NodeFailed(f"{self.text(visit)[:40]!r} is no amount to be said")
        return spoken.money(amount, self.currency, language)


class SayDate(SayValue):
    """A day: an ISO date, or an ISO instant, which is taken as it is on the clocks of `zone`."""

    label: ClassVar[str] = "A date"
    say: Literal["date"]
    zone: ZoneName = Field(default="", title="Time zone")
    weekday: bool = Field(default=True, title="With the day of the week")
    year: bool = Field(default=False, title="With the year")

    def names(self, visit: Visit, language: str) -> list[str]:
        text = self.text(visit)
        try:
            day = date.fromisoformat(text) if len(text) <= 10 else _local(text, self.zone).date()
        except ValueError:
            raise NodeFailed(f"{text[:40]!r} is no day to be said") from None
        return spoken.date(day, language, weekday=self.weekday, year=self.year)

    @field_validator("zone")
    @classmethod
    def _known(cls, name: str) -> str:
        return _zone(name)


class SayTime(SayValue):
    """A time of day: `14:30`, or an ISO instant, which is taken as it is on the clocks of `zone`."""

    label: ClassVar[str] = "A time of day"
    say: Literal["time"]
    zone: ZoneName = Field(default="", title="Time zone")

    def names(self, visit: Visit, language: str) -> list[str]:
        text = self.text(visit)
        try:
            moment = time.fromisoformat(text) if len(text) <= 8 else _local(text, self.zone).time()
        except ValueError:
            raise NodeFailed(f"{text[:40]!r} is no time of day to be said") from None
        return spoken.time(moment, language)

    @field_validator("zone")
    @classmethod
    def _known(cls, name: str) -> str:
        return _zone(name)


class SayText(SayValue):
    """A text, spoken by a synthesiser where one is installed."""

    label: ClassVar[str] = "A text, spoken by the synthesiser"
    say: Literal["text"]

    def names(self, visit: Visit, language: str) -> list[str]:  # noqa: ARG002
        raise NodeFailed("a text has no prompts")

    def files(self, visit: Visit, language: str) -> list[str]:
        return [visit.speech(self.text(visit)[:LONGEST_TEXT], language)]


def _local(text: str, zone: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(ZoneInfo(zone)) if zone and moment.tzinfo else moment


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key if name else ""
    except (ValueError, OSError, KeyError) as error:
        raise ValueError(f"{name!r} is no time zone; use an IANA name such as Europe/Copenhagen") from error


PromptName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,79}$")]
_Says = (
    SayOpeningHours
    | SayReopening
    | SayHoliday
    | SayClosed
    | SayNumber
    | SayDigits
    | SayMoney
    | SayDate
    | SayTime
    | SayText
)
AnySay = Annotated[_Says, Field(discriminator="say")]
Prompts = Annotated[tuple[PromptName | AnySay, ...], shown_as("prompts")]
"""What is spoken, one after the other."""


def say_types() -> dict[str, type[Say]]:
    """What may stand in a list of prompts beside prompts' names, by what stands in `say`."""
    return {get_args(found.model_fields["say"].annotation)[0]: found for found in get_args(_Says)}
