"""Who works and what waits: the configuration the router decides by, as one immutable value."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from engine.records.queues import AgentSettings, Needs, QueueSettings


class AgentProfile(msgspec.Struct, frozen=True):
    """An agent as set up. `skills` maps a skill's name to the agent's level, 1 to 5."""

    agent_id: int
    name: str
    extension: str
    skills: Mapping[str, int] = {}
    wrap_up_seconds: int = 5
    settings: AgentSettings = AgentSettings()


class QueueRule(msgspec.Struct, frozen=True):
    """A queue as set up. `needs` maps a skill's name to the least level that serves this queue; of the skills in `exact` that
    level and no other serves."""

    name: str
    title: str = ""
    needs: Mapping[str, int] = {}
    priority: int = 0
    ring_seconds: int = 15
    longest_wait_seconds: int = 600
    most_waiting: int = 100
    announce_seconds: int = 30
    short_abandon_seconds: int = 5
    recorded: bool = True
    exact: tuple[str, ...] = ()
    strategy: str = "longest_idle"
    settings: QueueSettings = QueueSettings()


class Roster(msgspec.Struct, frozen=True):
    """One published version of agents and queues."""

    version: int
    agents: tuple[AgentProfile, ...] = ()
    queues: tuple[QueueRule, ...] = ()
    groups: Mapping[str, tuple[int, ...]] = {}
    """Group -> ids of its agents."""
    language_needs: Mapping[str, Needs] = {}
    """Language -> what its callers need."""
    number_needs: Mapping[str, Needs] = {}
    """Number called -> what its callers need."""

    def queue(self, name: str) -> QueueRule | None:
        return next((queue for queue in self.queues if queue.name == name), None)

    def agent(self, extension: str) -> AgentProfile | None:
        return next((agent for agent in self.agents if agent.extension == extension), None)
