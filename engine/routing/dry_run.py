"""Who would get a call now, and why: the router's own rules asked without anything coming of it."""

from __future__ import annotations

from typing import Any

from engine.routing import explain, matching
from engine.routing.entries import made
from engine.routing.events import AnswerDryRun, DryRun, EntryAdded
from engine.routing.expected import expected_wait
from engine.routing.pooling import pool_of
from engine.routing.pools import Pool, PoolKey
from engine.routing.state import State

ENTRY = "dry-run"


def dry_run(state: State, event: DryRun) -> None:
    """Answer with a decision. Keys of the answer: queue, known (False: no such queue, and nothing else is told), in_words,
    chosen ({agent_id, name} or None), position (from 1; where nobody is free), expected ({low, middle, high, error} or None),
    strategy, candidates, left_out, candidates_count, left_out_count, stage, call (as engine.routing.explain), stages (one for
    each step of waiting: {after_seconds, in_words, agents, staffed, ready, free}), with_first (the same for those who are asked
    before anybody else)."""
    state.decisions.append(AnswerDryRun(at=event.at, ask_id=event.ask_id, answer=_answer(state, event)))


def _answer(state: State, event: DryRun) -> dict[str, Any]:
    rule = state.rules.get(event.queue)
    if rule is None:
        return {"queue": event.queue, "known": False}
    kept = state.sequence
    entered = event.at - max(0.0, event.waited_seconds)
    entry = made(
        state,
        rule,
        EntryAdded(
            at=event.at,
            entry_id=ENTRY,
            call_id=ENTRY,
            queue=event.queue,
            owner="",
            entered_at=entered,
            priority=event.priority,
            needs=event.needs,
            exact=event.exact,
            category=event.category,
            responsible=event.responsible,
            last_agent=event.last_agent,
        ),
    )
    state.sequence = kept
    asked_first = [
        _row(state, pool_of(state, PoolKey(entry.queue, only=first.agents)), 0.0, first.why) for first in entry.first
    ]
    pool, _ = matching.where(state, entry, event.at)
    entry.pool = pool
    free = pool.first_agents(explain.MOST_NAMED)
    position = 1 + sum(
        (rank, sequence) < (entry.rank, entry.sequence) for rank, sequence, _ in state.rows.get(rule.name, ())
    )
    expected = expected_wait(state.meter(rule.name).pace, position)
    stage = explain.stage_words(entry, pool)
    chosen = free[0] if free else None
    if pool.strategy.draw == "any" and free:
        words = f"Any of {pool.free} free agents, by lot."
    elif chosen is not None:
        words = explain.in_words(pool, chosen, max(pool.free, len(free)), stage, event.at)
    else:
        words = f"Nobody who may have it is free; {pool.staffed} of {len(pool.agents)} are logged in, {pool.ready} are ready."
    return {
        "queue": rule.name,
        "known": True,
        "in_words": words,
        "chosen": None if chosen is None else explain.candidate(chosen, pool, event.at),
        "position": None if chosen is not None else position,
        "expected": None if expected is None or chosen is not None else _expected(expected),
        "strategy": pool.strategy.text.name,
        "candidates": [explain.candidate(agent, pool, event.at) for agent in free],
        "candidates_count": max(pool.free, len(free)),
        "left_out": explain.left_out(state, pool, event.at),
        "left_out_count": len(state.agents) - pool.free,
        "stage": stage,
        "call": explain.terms(entry, event.at),
        "with_first": asked_first,
        "stages": [_row(state, pool_of(state, each.key), each.after, each.why) for each in entry.plan.stages],
    }


def _row(state: State, pool: Pool, after: float, words: str) -> dict[str, Any]:
    names = [
        state.agents[agent_id].profile.name
        for agent_id in list(pool.agents)[: explain.MOST_NAMED]
        if agent_id in state.agents
    ]
    return {
        "after_seconds": after,
        "in_words": words,
        "agents": len(pool.agents),
        "names": names,
        "staffed": pool.staffed,
        "ready": pool.ready,
        "free": pool.free,
    }


def _expected(expected: Any) -> dict[str, Any]:
    return {"low": expected.low, "middle": expected.middle, "high": expected.high, "error": expected.error}
