"""What every call of a process needs from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from conf.clock import Clock
from engine.call.callbacks import Callbacks
from engine.call.configuration import Configuration
from engine.call.media import Media
from engine.call.office import House
from engine.call.recovery import Checkpoints
from engine.call.registry import Registry
from engine.call.switches import Switches
from engine.live.connection import Redis
from engine.live.notices import Notices
from engine.live.outbox import Outbox
from engine.live.screenpop import ScreenPops
from engine.records.journal import Journal
from engine.records.lookups import Lookups
from sounds.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every call of a process needs from it."""

    process_id: str
    home: Path
    clock: Clock
    configuration: Configuration
    journal: Journal
    outbox: Outbox
    notices: Notices
    redis: Redis
    checkpoints: Checkpoints
    pops: ScreenPops
    lookups: Lookups
    switches: Switches
    registry: Registry
    catalogue: Catalogue
    media: Media
    house: House
    callbacks: Callbacks
    country: str
