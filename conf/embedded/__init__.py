"""Postgres and a Redis-protocol server of our own, for an installation that names none.

Both come as Python wheels (or from the system, where they are found), keep their data in the home folder, listen on the
loopback alone, on a port chosen once and remembered, and ask for a password that is made at the first start.
"""

from __future__ import annotations

from conf.embedded.errors import EmbeddedBroken as EmbeddedBroken
from conf.embedded.ports import free_port as free_port
from conf.embedded.postgres import Postgres as Postgres
from conf.embedded.postgres import postgres_programs as postgres_programs
from conf.embedded.redis import Redis as Redis
from conf.embedded.redis import redis_program as redis_program
