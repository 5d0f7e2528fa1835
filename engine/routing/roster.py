"""Who works and what waits: the configuration the router decides by, as one immutable value."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class AgentProfile(msgspec.Struct, frozen=True):
    """An agent as set up. `skills` maps a skill's name to the agent's level, 1 to 5."""

    agent_id: int
    name: str
    extension: str
    skills: Mapping[str, int] = {}
    wrap_up_seconds: int = 5


class QueueRule(msgspec.Struct, frozen=True):
    """A queue as set up. `needs` maps a skill's name to the least level that serves this queue."""

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


class Roster(msgspec.Struct, frozen=True):
    """One published version of agents and queues."""

    version: int
    agents: tuple[AgentProfile, ...] = ()
    queues: tuple[QueueRule, ...] = ()

    def queue(self, name: str) -> QueueRule | None:
        return next((queue for queue in self.queues if queue.name == name), None)

    def agent(self, extension: str) -> AgentProfile | None:
        return next((agent for agent in self.agents if agent.extension == extension), None)
