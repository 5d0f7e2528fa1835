"""What has come of the callers of a run, by the reports and the router's diary, and what would have in an ideal centre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles

from faults.damaged import Damaged

from tests.routing.ideal import Fate, Guest, ideal

from .centres import TALK, WARM_UP
from .diary import Served
from .running import Copy, Visit

PARTS = 4
"""Into how many parts of equal length the time of each copy is divided; each is one value of the mean."""
INSTANT = 0.01
"""Seconds of the clock, more than instants are rounded by."""
MOST_OVERHEAD = 0.1
"""The share of a talk that an agent may be taken up beyond it."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A caller beyond the warm-up: in which part they came, what came of them here, and what would have in an ideal centre."""

    queue: str
    part: tuple[int, int]
    here: Fate
    ideally: Fate


@dataclass(frozen=True, slots=True)
class Overhead:
    """What a centre's calls take beyond what callers want, in seconds of the clock."""

    beyond_talk: float
    """An agent is taken up so much longer than the talk, on average: ringing, connecting, hanging up."""
    at_half: float
    at_most: float
    """The same of half of the calls, and of 99 in 100, at most."""
    beyond_patience: float
    """A caller who gives up is gone so much later, on average."""

    @property
    def too_much(self) -> bool:
        """Whether it would change the load itself, up to a centre that cannot keep pace with its calls."""
        return self.beyond_talk > MOST_OVERHEAD * TALK


@dataclass(frozen=True, slots=True)
class Came:
    """A visit as report.queue_entries and report.offers tell of it, and the router's diary."""

    visit: Visit
    entered: float
    left: float
    offered: float | None
    served: Served

    @property
    def fate(self) -> Fate:
        """An agent is the caller's from the offer on, as in theory, even if they hang up before it rings or while it does."""
        until = self.left if self.offered is None else self.offered
        return Fate(not self.served.at_once, until - self.entered, self.offered is None)

    @property
    def beyond_talk(self) -> float | None:
        """How much longer than the talk this call took up its agent, less than nothing where the caller hung up while it rang;
        None where it had none."""
        if self.served.freed is None or self.served.offered is None:
            return None
        # Who hangs up while the offer is decided has left before it was.
        return max(0.0, self.served.freed - self.served.offered) - self.visit.guest.talk

    @property
    def beyond_patience(self) -> float | None:
        """How much later than they would the caller was gone; None where they had an agent."""
        return self.left - self.entered - self.visit.guest.patience if self.offered is None else None

    def guest(self, overhead: Overhead) -> Guest:
        """Who would come to an ideal centre: with all the time that this call took, which is the average where it took none.
        Who had an agent was patient till then, even where giving up as quickly as the average would have been sooner."""
        guest, talk, late = self.visit.guest, self.beyond_talk, self.beyond_patience
        patience = guest.patience + (overhead.beyond_patience if late is None else late)
        if self.offered is not None:
            patience = max(patience, self.offered - self.entered + INSTANT)
        taken_up = max(0.0, guest.talk + (overhead.beyond_talk if talk is None else talk))
        return Guest(guest.queue, self.entered, taken_up, max(0.0, patience))


def came_to(damaged: Damaged, copy: Copy, diary: dict[str, Served]) -> list[Came]:
    """All visits of a copy in the order of coming."""
    rows = damaged.rows(
        """
        SELECT e.call_id::text AS call_id, extract(epoch FROM e.entered_at)::float AS entered,
            extract(epoch FROM e.left_at)::float AS left, extract(epoch FROM o.offered_at)::float AS offered
        FROM report.queue_entries e
        LEFT JOIN (SELECT call_id, min(offered_at) AS offered_at FROM report.offers GROUP BY call_id) o USING (call_id)
        WHERE e.queue = ANY(%s) ORDER BY e.entered_at
        """,
        [copy.queue(stream.queue) for stream in copy.centre.streams],
    )
    visits = {visit.call_id: visit for visit in copy.visits}
    found = []
    for row in rows:
        served = diary[row["call_id"]]
        # An offer that was decided in the instant in which the caller left is in no report, as no phone rang.
        offered = served.offered if row["offered"] is None else row["offered"]
        found.append(Came(visits[row["call_id"]], row["entered"], row["left"], offered, served))
    return found


def overhead_of(came: Sequence[Came]) -> Overhead:
    talks = [each.beyond_talk for each in came if each.beyond_talk is not None]
    patiences = [each.beyond_patience for each in came if each.beyond_patience is not None]
    steps = quantiles(talks, n=100)
    return Overhead(fmean(talks), steps[49], steps[98], fmean(patiences) if patiences else 0.0)


def counted_of(copy: Copy, came: Sequence[Came], overhead: Overhead, seconds: float) -> list[Counted]:
    guests = [each.guest(overhead) for each in came]
    # The first caller comes when theory has it, whatever the clock says.
    began = came[0].entered - came[0].visit.guest.comes
    found, first = [], began + WARM_UP * seconds
    for each, guest, ideally in zip(came, guests, ideal(copy.centre.staff, guests), strict=True):
        if guest.comes >= first:
            part = min(PARTS - 1, int((guest.comes - first) / (began + seconds - first) * PARTS))
            found.append(Counted(guest.queue, (copy.number, part), each.fate, ideally))
    return found
