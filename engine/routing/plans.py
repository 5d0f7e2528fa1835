"""Who may have a call, and from when on: a queue's rules and a call's needs, compiled into stages of ever wider pools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.records.queues import Relaxation
from engine.routing.pools import HIGHEST, Needs, PoolKey, needs_of
from engine.routing.roster import AgentProfile, QueueRule, Roster

MOST_RATES: Final = 10
"""So many steps of cost at most; agents of finer differences share one."""

EVERYBODY: Final = (1, 0)
"""The order of an agent who is no named member, and no place of their own in it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """From `after` seconds of waiting on the call waits in the pool of `key`. A stage that holds back agents only to ask others
    first may be left early when none of these is ready (`may_skip`); one that waits for skills is not."""

    after: float
    key: PoolKey
    may_skip: bool
    why: str = ""
    """What has changed since the stage before, in words."""


@dataclass(frozen=True, slots=True)
class Plan:
    stages: tuple[Stage, ...]

    @property
    def widest(self) -> PoolKey:
        return self.stages[-1].key


@dataclass(slots=True)
class PlanBook:
    """A published roster, indexed; the plans made from it, each once."""

    profiles: dict[int, AgentProfile] = field(default_factory=dict)
    extensions: dict[str, int] = field(default_factory=dict)
    groups: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    rules: dict[str, QueueRule] = field(default_factory=dict)
    _able: dict[tuple[str, int], frozenset[int]] = field(default_factory=dict)
    _members: dict[str, dict[int, tuple[int, int, int]] | None] = field(default_factory=dict)
    _plans: dict[tuple[str, Needs], Plan] = field(default_factory=dict)
    _own: dict[str, Needs] = field(default_factory=dict)

    @staticmethod
    def of(roster: Roster) -> PlanBook:
        book = PlanBook(
            profiles={profile.agent_id: profile for profile in roster.agents},
            extensions={profile.extension: profile.agent_id for profile in roster.agents},
            groups=roster.groups,
            rules={rule.name: rule for rule in roster.queues},
        )
        able: dict[tuple[str, int], set[int]] = {}
        for profile in roster.agents:
            for skill, level in profile.skills.items():
                for least in range(1, min(level, HIGHEST) + 1):
                    able.setdefault((skill, least), set()).add(profile.agent_id)
        book._able = {key: frozenset(agents) for key, agents in able.items()}
        return book

    def needs(self, rule: QueueRule, further: Mapping[str, int], exact: Iterable[str]) -> Needs:
        """What a call needs in this queue, with what it brings of its own."""
        if further:
            return needs_of(rule.needs, further, exact=(*rule.exact, *exact))
        own = self._own.get(rule.name)
        if own is None:
            own = self._own[rule.name] = needs_of(rule.needs, exact=rule.exact)
        return own

    def plan(self, rule: QueueRule, needs: Needs) -> Plan:
        plan = self._plans.get((rule.name, needs))
        if plan is None:
            plan = self._plans[rule.name, needs] = self._compile(rule, needs)
        return plan

    def agents(self, key: PoolKey) -> dict[int, tuple[int, int]]:
        """Who belongs to the pool of this key: id -> order, and place from the top where that counts."""
        if key.only:
            return {agent_id: EVERYBODY for agent_id in key.only if agent_id in self.profiles}
        rule = self.rules.get(key.queue) or QueueRule(key.queue)
        members = self.members(rule)
        able = self._meeting(key.needs)
        top_down = rule.strategy == "top_down"
        found: dict[int, tuple[int, int]] = {}
        if members is None:
            for agent_id in sorted(able):
                found[agent_id] = EVERYBODY
        else:
            for agent_id, (order, delay, place) in members.items():
                if agent_id in able and delay <= key.delay:
                    found[agent_id] = (order, place if top_down else 0)
        last = max((order for order, _ in found.values()), default=1)
        for group in key.groups:
            for agent_id in self.groups.get(group, ()):
                if agent_id in self.profiles:
                    found.setdefault(agent_id, (last, 0))
        if key.cost != float("inf"):
            profiles = self.profiles
            found = {each: at for each, at in found.items() if profiles[each].settings.cost_per_minute <= key.cost}
        return found

    def members(self, rule: QueueRule) -> dict[int, tuple[int, int, int]] | None:
        """Agent -> order, delay and place of those who serve the queue; None where everybody may."""
        if rule.name in self._members:
            return self._members[rule.name]
        wanted = rule.settings.members
        found: dict[int, tuple[int, int, int]] | None = None
        if wanted.agents or wanted.groups:
            found = {}
            for member in wanted.agents:
                agent_id = self.extensions.get(member.extension)
                if agent_id is not None:
                    found[agent_id] = (member.order, member.delay_seconds, len(found) + 1)
            for group in wanted.groups:
                for agent_id in self.groups.get(group, ()):
                    if agent_id in self.profiles:
                        found.setdefault(agent_id, (1, 0, len(found) + 1))
        self._members[rule.name] = found
        return found

    def _meeting(self, needs: Needs) -> frozenset[int]:
        if not needs:
            return frozenset(self.profiles)
        sets: list[frozenset[int]] = []
        for skill, least, most in needs:
            able = self._able.get((skill, least), frozenset())
            sets.append(able if most >= HIGHEST else able - self._able.get((skill, most + 1), frozenset()))
        sets.sort(key=len)
        return sets[0].intersection(*sets[1:])

    def _compile(self, rule: QueueRule, needs: Needs) -> Plan:
        settings = rule.settings
        members = self.members(rule) or {}
        delays = sorted({delay for _, delay, _ in members.values()} | {0})
        relaxations = sorted(settings.relaxations, key=lambda step: step.after_seconds)
        widest = PoolKey(rule.name, *_relaxed(needs, relaxations, delays[-1]))
        rates = self._rates(rule, widest)
        times = {0.0, *map(float, delays), *(float(step.after_seconds) for step in relaxations)}
        times |= {float(number * settings.escalate_seconds) for number in range(len(rates))}
        stages: list[Stage] = []
        for after in sorted(times):
            steps = [step for step in relaxations if step.after_seconds <= after]
            delay = max((delay for delay in delays if delay <= after), default=0)
            wanted, _, groups = _relaxed(needs, steps, delay)
            number = min(int(after // settings.escalate_seconds), len(rates) - 1)
            cost = rates[number] if rates and number < len(rates) - 1 else float("inf")
            key = PoolKey(rule.name, wanted, delay, groups, cost)
            if stages and stages[-1].key == key:
                continue
            if stages:
                before = stages[-1]
                only_held_back = (before.key.needs, before.key.groups) == (key.needs, key.groups)
                stages[-1] = Stage(before.after, before.key, only_held_back, before.why)
            now = [step for step in steps if step.after_seconds == after]
            stages.append(Stage(after, key, False, _words(now, stages[-1].key if stages else None, key)))
        return Plan(tuple(stages))

    def _rates(self, rule: QueueRule, widest: PoolKey) -> list[float]:
        """The costs a minute at which calls are held back for cheaper agents, lowest first; none for other strategies."""
        if rule.strategy != "cheapest":
            return []
        rates = sorted({self.profiles[agent_id].settings.cost_per_minute for agent_id in self.agents(widest)})
        if len(rates) <= MOST_RATES:
            return rates
        return [rates[(number + 1) * len(rates) // MOST_RATES - 1] for number in range(MOST_RATES)]


def _relaxed(needs: Needs, steps: Iterable[Relaxation], delay: int) -> tuple[Needs, int, tuple[str, ...]]:
    wanted = {skill: (least, most) for skill, least, most in needs}
    groups: list[str] = []
    for step in steps:
        if step.drop is not None:
            wanted.pop(step.drop, None)
        elif step.skill is not None and step.level is not None and step.skill in wanted:
            wanted[step.skill] = (min(step.level, wanted[step.skill][0]), HIGHEST)
        elif step.group is not None and step.group not in groups:
            groups.append(step.group)
    return tuple((skill, least, most) for skill, (least, most) in sorted(wanted.items())), delay, tuple(groups)


def _words(steps: Iterable[Relaxation], before: PoolKey | None, key: PoolKey) -> str:
    said = []
    for step in steps:
        if step.drop is not None:
            said.append(f"{step.drop} is not needed any more")
        elif step.skill is not None:
            said.append(f"{step.skill} is enough at level {step.level}")
        else:
            said.append(f"the agents of {step.group} may have it too")
    if before is not None and key.delay > before.delay:
        said.append(f"agents who are asked after {key.delay} s may have it too")
    if before is not None and key.cost > before.cost:
        said.append(f"agents who cost more than {before.cost:g} a minute may have it too")
    return ", ".join(said)
