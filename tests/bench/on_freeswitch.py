"""The engine on a real FreeSWITCH, all on this machine with sipp as callers and agents; skipped where one of them is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from engine import freeswitch
from engine.bench.switch_load import BUSY, ENOUGH, Load, Measured, Rig, why_not
from engine.bench.table import table

RATES = (45.0, 50.0, 55.0, 60.0)
GOALS = {"held": 45, "bridged": 45, "next": 40}
LATE_MS = 1000.0
"""A rate is held if no call fails and nineteen in twenty callers hear their agent within this time of the key."""

ELSEWHERE = {
    "highest rate held, calls/s": ("50", "35", "25"),
    "digit -> bridged, p50 / p95 ms at 20/s": ("103 / 163", "41 / 45", "44 / 63"),
    "digit -> bridged, p50 / p95 ms at 45/s": ("-", "-", "-"),
    "agent free -> next bridged, p50 / p95 ms": ("640 / 1,106", "-", "-"),
    "FreeSWITCH CPU + handler CPU, ms a call": ("42", "43 + 6", "44 + 16"),
}
"""Measured before on a machine of two processors: mod_callcenter with its menu in FreeSWITCH, a bare greenswitch handler, a
bare Genesis handler; the last two without any queue."""


def measure(say: Callable[[str], None], quick: bool) -> tuple[dict[str, Any], str]:
    reason = why_not()
    binary = freeswitch.find("auto")
    if reason is not None or binary is None:
        return {"skipped": reason}, f"Skipped: {reason or 'no FreeSWITCH here'}."
    seconds = 6.0 if quick else 20.0
    with Rig(binary) as rig:
        say("FreeSWITCH: 20 calls a second")
        calm = rig.run(Load(rate=20.0, seconds=seconds, digit=ENOUGH))
        say("FreeSWITCH: a queue that is never empty")
        busy = rig.run(Load(rate=30.0, seconds=seconds, digit=BUSY, agents=20))
        climbed: list[Measured] = []
        for rate in RATES[: 1 if quick else None]:
            say(f"FreeSWITCH: {rate:g} calls a second")
            climbed.append(rig.run(Load(rate=rate, seconds=seconds, digit=ENOUGH)))
            if climbed[-1].failed or climbed[-1].bridged.p95 > LATE_MS:
                break
    held = max((one.offered_rate for one in climbed if not one.failed and one.bridged.p95 <= LATE_MS), default=0.0)
    ours = {
        "highest rate held, calls/s": (f"{held:,.0f}", f"{GOALS['held']}"),
        "digit -> bridged, p50 / p95 ms at 20/s": (
            f"{calm.bridged.p50:,.0f} / {calm.bridged.p95:,.0f}",
            f"p50 {GOALS['bridged']}",
        ),
        "digit -> bridged, p50 / p95 ms at 45/s": (
            next(
                (f"{one.bridged.p50:,.0f} / {one.bridged.p95:,.0f}" for one in climbed if one.offered_rate == 45), "-"
            ),
            f"p50 {GOALS['bridged']}",
        ),
        "agent free -> next bridged, p50 / p95 ms": (
            f"{busy.next.p50:,.0f} / {busy.next.p95:,.0f}",
            f"p50 {GOALS['next']}",
        ),
        "FreeSWITCH CPU + handler CPU, ms a call": (f"{calm.switch_ms_a_call:g} + {calm.engine_ms_a_call:g}", ""),
    }
    rows = [(name, *figures, *ELSEWHERE[name]) for name, figures in ours.items()]
    rows.append(
        ("calls without their row", f"{sum(_unwritten(one) for one in (calm, busy, *climbed)):,}", "0", "", "", "")
    )
    found = {
        "rows": rows,
        "held": held,
        "calm": msgspec.to_builtins(calm),
        "busy": msgspec.to_builtins(busy),
        "climbed": [msgspec.to_builtins(one) for one in climbed],
    }
    head = ("", "engine", "goal", "mod_callcenter", "greenswitch", "Genesis")
    return found, table(head, rows) + "\n\nThe three on the right were measured before, on a machine of two processors."


def _unwritten(one: Measured) -> int:
    return max(0, one.calls - one.failed - one.reported)
