"""The tree of places: groups by what people do, and in each the places a viewer may go to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from admin.access import Right, Viewer


@dataclass(frozen=True, slots=True)
class Place:
    """`key` is what a page calls itself when it says where it stands."""

    key: str
    title: str
    icon: str
    endpoint: str
    right: Right


@dataclass(frozen=True, slots=True)
class Section:
    """`folds`: only its title shows, unless the viewer is in it or opens it."""

    title: str
    places: tuple[Place, ...]
    folds: bool = False

    def holds(self, key: str) -> bool:
        return any(place.key == key for place in self.places)


TREE = (
    Section(
        "",
        (
            Place("desk", "Desk", "headset", "desk.page", Right.DESK),
            Place("live", "Live", "activity", "live.page", Right.SEE_LIVE),
        ),
    ),
    Section(
        "Calls",
        (
            Place("calls", "Calls", "phone", "calls.listed", Right.SEE_CALLS),
            Place("messages", "Messages", "messages", "messages.listed", Right.SEE_CALLS),
            Place("callbacks", "Callbacks", "phone-outgoing", "callbacks.listed", Right.ALL_CALLS),
        ),
    ),
    Section(
        "Reports",
        (
            Place("ivr_statistics", "IVR statistics", "chart-bar", "ivr_reports.page", Right.SEE_REPORTS),
            Place("ivr_record", "IVR record", "route", "ivr_reports.record", Right.SEE_REPORTS),
            Place("surveys", "Surveys", "clipboard-list", "surveys.page", Right.SEE_REPORTS),
        ),
    ),
    Section(
        "Set up: callers",
        (
            Place("numbers", "Numbers", "hash", "numbers.listed", Right.SEE_SETUP),
            Place("hours", "Opening hours", "clock", "hours.listed", Right.SEE_SETUP),
            Place("flows", "Flows", "route", "flows.listed", Right.SEE_SETUP),
            Place("try", "Try a number", "phone-check", "flows.try_number", Right.SEE_SETUP),
            Place("prompts", "Prompts", "volume", "prompts.listed", Right.SEE_SETUP),
            Place("blocked", "Blocked numbers", "ban", "blocked.page", Right.SEE_SETUP),
        ),
        folds=True,
    ),
    Section(
        "Set up: agents",
        (
            Place("queues", "Queues", "stack-2", "queues.listed", Right.SEE_SETUP),
            Place("agents", "Agents", "users", "agents.listed", Right.SEE_SETUP),
            Place("skills", "Skills", "star", "skill_matrix.page", Right.SEE_SETUP),
            Place("groups", "Groups", "arrows-left-right", "groups.listed", Right.SEE_SETUP),
            Place("ring_groups", "Ring groups", "phone-ringing", "ring_groups.listed", Right.SEE_SETUP),
            Place("pauses", "Pause reasons", "coffee", "pauses.page", Right.SEE_SETUP),
        ),
        folds=True,
    ),
    Section(
        "Set up: system",
        (
            Place("people", "People", "user-circle", "people.listed", Right.PEOPLE),
            Place("tokens", "API tokens", "lock", "people.tokens", Right.PEOPLE),
            Place("system", "System", "server", "health.page", Right.SEE_SYSTEM),
        ),
        folds=True,
    ),
)


def for_viewer(viewer: Viewer) -> Iterator[Section]:
    """The tree as far as the viewer may see it; sections without a place are left out."""
    for section in TREE:
        places = tuple(place for place in section.places if viewer.may(place.right))
        if places:
            yield Section(section.title, places, section.folds)


def first(viewer: Viewer) -> Place:
    """Where somebody stands after signing in: the first place of their own."""
    return next(for_viewer(viewer)).places[0]
