"""What can be wrong with what people enter here. Each message names the fault and its place."""

from __future__ import annotations

from conf.errors import PointsmanError


class DocumentInvalid(PointsmanError):
    """A YAML document that cannot be taken in."""


class CalendarInvalid(PointsmanError):
    """Hours, holidays or a time zone that make no calendar."""


class CalendarMoved(PointsmanError):
    """A calendar is not any more what somebody saw who wanted to change it."""


class DestinationInvalid(PointsmanError):
    """A stored destination that is none."""
