"""The tables of flows and their versions."""

from __future__ import annotations

import peewee
from playhouse.postgres_ext import BinaryJSONField

from conf.database import Table


class FlowRow(Table):
    """A flow's name, under which its versions are kept."""

    id = peewee.AutoField()
    name = peewee.TextField(unique=True)

    class Meta:
        table_name = "flow"


class FlowVersionRow(Table):
    """One version of a flow, never changed once it is published. The published one with the highest number is in force; one
    without `published_at` is a draft."""

    id = peewee.AutoField()
    flow_id = peewee.IntegerField()
    version = peewee.IntegerField()
    document = BinaryJSONField(index=False)
    author = peewee.TextField(default="")
    published_at = peewee.DateTimeField(null=True)
    saved_at = peewee.DateTimeField(default=peewee.SQL("now()"))
    note = peewee.TextField(default="")
    revision = peewee.BigIntegerField(default=peewee.SQL("nextval('flow_revision')"))
    based_on = peewee.IntegerField(null=True)

    class Meta:
        table_name = "flow_version"


class FlowTestRow(Table):
    """A test of a flow, by the name it has within it."""

    id = peewee.AutoField()
    flow_id = peewee.IntegerField()
    name = peewee.TextField()
    document = BinaryJSONField(index=False)
    author = peewee.TextField(default="")
    saved_at = peewee.DateTimeField(default=peewee.SQL("now()"))

    class Meta:
        table_name = "flow_test"
