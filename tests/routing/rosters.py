"""Random rosters, with all kinds of rules."""

from __future__ import annotations

import random
from typing import Any

from engine.records.queues import AgentSettings, QueueSettings, decode_queue
from engine.routing.roster import AgentProfile, QueueRule, Roster

SKILLS = ("sales", "support", "danish", "legal")
GROUPS = ("north", "south")


def rules(chance: random.Random, extensions: list[str]) -> QueueSettings:
    """Settings of a queue, each rule there or not."""

    def maybe(value: Any, share: float = 0.3) -> Any:
        return value if chance.random() < share else None

    relaxations = [
        chance.choice(
            [
                {"after_seconds": chance.randint(1, 40), "drop": chance.choice(SKILLS)},
                {"after_seconds": chance.randint(1, 40), "skill": chance.choice(SKILLS), "level": chance.randint(1, 4)},
                {"after_seconds": chance.randint(1, 40), "group": chance.choice(GROUPS)},
            ]
        )
        for _ in range(chance.choice((0, 0, 1, 3)))
    ]
    members: dict[str, Any] = {}
    if chance.random() < 0.3:
        named = chance.sample(extensions, chance.randint(1, len(extensions)))
        members = {
            "agents": [
                {
                    "extension": extension,
                    "order": chance.choice((1, 1, 2, 3)),
                    "delay_seconds": chance.choice((0, 0, 5, 15)),
                }
                for extension in named
            ],
            "groups": [chance.choice(GROUPS)] if chance.random() < 0.5 else [],
        }
    document = {
        "responsible_first_seconds": maybe(20),
        "last_agent_first_seconds": maybe(10),
        "vip_boost": maybe(2),
        "problem_agents": maybe([chance.choice(extensions)]),
        "reentry_minutes": maybe(2),
        "redial_keeps_place": chance.random() < 0.7,
        "relaxations": relaxations,
        "members": members,
        "nobody_grace_seconds": chance.choice((0, 10, 30)),
        "all_paused_seconds": maybe(25),
        "most_expected_wait_seconds": maybe(60),
        "calendar": maybe("Office"),
        "escalate_seconds": chance.randint(3, 20),
        "offers": maybe(
            {
                "no_answer": {
                    "then": chance.choice(("pause", "wait", "nothing")),
                    "after_times": 2,
                    "delay_seconds": 7,
                },
                "rejected": {"then": "wait", "delay_seconds": chance.randint(0, 9)},
            },
            0.6,
        ),
        "wrap_up": maybe({"mode": chance.choice(("fixed", "chosen", "endless")), "seconds": 6}, 0.5),
    }
    return decode_queue({name: value for name, value in document.items() if value is not None})


def roster(chance: random.Random, version: int, *, agents: int, queues: int, strategies: tuple[str, ...]) -> Roster:
    """A roster; the names of agents and queues are those of every other roster of the same size."""
    extensions = [str(1000 + number) for number in range(1, agents + 1)]
    return Roster(
        version,
        tuple(
            AgentProfile(
                number,
                f"agent {number}",
                str(1000 + number),
                {skill: chance.randint(1, 5) for skill in SKILLS if chance.random() < 0.6},
                wrap_up_seconds=chance.choice((0, 0, 3, 8)),
                settings=AgentSettings(cost_per_minute=chance.choice((0.0, 0.3, 0.8)), wrap_up="fixed"),
            )
            for number in range(1, agents + 1)
        ),
        tuple(
            QueueRule(
                f"q{number}",
                needs={skill: chance.randint(1, 4) for skill in SKILLS if chance.random() < 0.3},
                exact=("legal",) if chance.random() < 0.1 else (),
                priority=chance.choice((0, 0, 1)),
                most_waiting=chance.choice((5, 30)),
                longest_wait_seconds=chance.choice((50, 200)),
                strategy=chance.choice(strategies),
                settings=rules(chance, extensions),
            )
            for number in range(queues)
        ),
        groups={name: tuple(number for number in range(1, agents + 1) if chance.random() < 0.4) for name in GROUPS},
    )
