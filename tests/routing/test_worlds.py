"""Whatever happens in whatever order, under whatever rules: what must hold holds. More of it by `python -m tests.routing`."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.routing.worlds import World


@settings(max_examples=120, deadline=None)
@given(seed=st.integers(0, 2**32), agents=st.integers(1, 9), queues=st.integers(1, 4))
def test_whatever_happens_the_rules_hold_and_the_day_is_decided_again_the_same(
    seed: int, agents: int, queues: int
) -> None:
    world = World(seed, agents=agents, queues=queues)
    world.run(220)
    assert world.decided_again()


def test_a_longer_day() -> None:
    world = World(7, agents=20, queues=5)
    world.run(6_000)
    assert world.decided_again()
    assert len(world.ended) > 600
