"""Load on a real FreeSWITCH: sipp's callers through the menu into a queue, sipp's agents, one engine process, one machine.

What it takes FreeSWITCH is part of every figure, so times are FreeSWITCH's own: each event bears the instant at which it
happened (Event-Date-Timestamp), and a listener beside the engine collects those instants.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
import wave
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import gevent
import msgspec
import psycopg2
from gevent.event import Event as Signal

from conf import embedded
from conf.children import Child, ChildSpec
from conf.settings import Address
from dialplan.freeswitch import DeskPhone, command_line, installed_modules, render
from engine import freeswitch
from engine.bench.site import NUMBER, Company, Site, password
from engine.bench.telephones import Agents, Rung, TelephonesBroken, ring, sipp
from engine.esl import names
from engine.esl.frames import FrameReader, raw_header
from engine.records.publish import VERSION_STATEMENT  # noqa: F401  (placeholder)
from sounds import music
