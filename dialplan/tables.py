"""The tables of calendars and numbers; see conf/migrations for their columns' bounds."""

from __future__ import annotations

import peewee
from playhouse.postgres_ext import BinaryJSONField

from conf.database import Table


class CalendarRow(Table):
    """A calendar's name and zone; its openings and holidays refer to it."""

    id = peewee.AutoField()
    name = peewee.TextField(unique=True)
    timezone = peewee.TextField()

    class Meta:
        table_name = "calendar"


class OpeningRow(Table):
    """One weekly range; weekday 0 is Monday, minutes count from its midnight."""

    id = peewee.AutoField()
    calendar_id = peewee.IntegerField()
    weekday = peewee.SmallIntegerField()
    opens_minute = peewee.SmallIntegerField()
    closes_minute = peewee.SmallIntegerField()

    class Meta:
        table_name = "opening"


class HolidayRow(Table):
    """One day on which nothing opens."""

    id = peewee.AutoField()
    calendar_id = peewee.IntegerField()
    day = peewee.DateField()
    name = peewee.TextField()

    class Meta:
        table_name = "holiday"


class NumberRow(Table):
    """A number that can be called; `destination` is what dialplan.destinations encodes."""

    id = peewee.AutoField()
    number = peewee.TextField(unique=True)
    name = peewee.TextField(default="")
    destination = BinaryJSONField(index=False)

    class Meta:
        table_name = "number"
