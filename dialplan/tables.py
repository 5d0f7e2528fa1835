"""The tables of calendars and numbers; see conf/migrations for their columns' bounds."""

from __future__ import annotations

import peewee
from playhouse.postgres_ext import BinaryJSONField

from conf.database import Table


class CalendarRow(Table):
    """A calendar's name and zone, and all else as dialplan.calendars writes it."""

    id = peewee.AutoField()
    name = peewee.TextField(unique=True)
    timezone = peewee.TextField()
    document = BinaryJSONField(index=False, default=dict)
    revision = peewee.IntegerField(default=1)

    class Meta:
        table_name = "calendar"


class ChangeRow(Table):
    """One change of a calendar; see the migration for what its columns hold."""

    id = peewee.AutoField()
    calendar_id = peewee.IntegerField()
    at = peewee.DateTimeField()
    author = peewee.TextField(default="")
    said = peewee.TextField()
    before = BinaryJSONField(index=False, null=True)
    after = BinaryJSONField(index=False, null=True)

    class Meta:
        table_name = "calendar_change"


class EmergencyRow(Table):
    """A calendar closed by hand from `since` to `until`, or to `ended_at` where that is set."""

    id = peewee.AutoField()
    calendar_id = peewee.IntegerField()
    since = peewee.DateTimeField()
    until = peewee.DateTimeField()
    reason = peewee.TextField()
    prompt = peewee.TextField(default="")
    author = peewee.TextField(default="")
    ended_at = peewee.DateTimeField(null=True)
    ended_by = peewee.TextField(default="")

    class Meta:
        table_name = "calendar_emergency"


class NumberRow(Table):
    """A number that can be called; `destination` is what dialplan.destinations encodes."""

    id = peewee.AutoField()
    number = peewee.TextField(unique=True)
    name = peewee.TextField(default="")
    destination = BinaryJSONField(index=False)

    class Meta:
        table_name = "number"
