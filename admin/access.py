"""Who may do what: the four roles, their rights, and the one place where a request is let through or not.

Every view says with `needs` what it takes; one that says nothing is refused to everybody, so a forgotten line closes a
door instead of opening one. Pages and the API pass the same check.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from flask import abort, current_app, g, request

View = TypeVar("View", bound=Callable[..., Any])


class Right(StrEnum):
    """What a role may be allowed to do. `ANYONE` needs no sign-in, `SIGNED_IN` any account."""

    ANYONE = "anyone"
    SIGNED_IN = "signed in"
    SEE_CALLS = "see calls"
    """All calls, or the own ones where `ALL_CALLS` is missing."""
    ALL_CALLS = "see everybody's calls"
    EXPORT = "export"
    SEE_REPORTS = "see reports"
    SEE_LIVE = "see the live page"
    WATCH_ALL = "see who every caller is on the live page"
    MOVE_CALLS = "move callers who wait"
    OWN_PRESENCE = "choose one's own presence"
    ANY_PRESENCE = "choose anybody's presence"
    DESK = "have a desk"
    SEE_SETUP = "see the set-up"
    CHANGE_SETUP = "change the set-up"
    CLOSE_HOURS = "close opening hours by hand"
    PEOPLE = "look after accounts and API tokens"
    SEE_SYSTEM = "see the system's state"


_SIGNED_IN = frozenset({Right.ANYONE, Right.SIGNED_IN})
RIGHTS: Mapping[str, frozenset[Right]] = {
    "admin": frozenset(Right) - {Right.DESK, Right.OWN_PRESENCE},
    "supervisor": _SIGNED_IN
    | {
        Right.SEE_CALLS,
        Right.ALL_CALLS,
        Right.EXPORT,
        Right.SEE_REPORTS,
        Right.SEE_LIVE,
        Right.WATCH_ALL,
        Right.ANY_PRESENCE,
        Right.MOVE_CALLS,
        Right.SEE_SETUP,
        Right.CLOSE_HOURS,
        Right.SEE_SYSTEM,
    },
    "analyst": _SIGNED_IN
    | {
        Right.SEE_CALLS,
        Right.ALL_CALLS,
        Right.EXPORT,
        Right.SEE_REPORTS,
        Right.SEE_LIVE,
        Right.WATCH_ALL,
        Right.SEE_SETUP,
    },
    "agent": _SIGNED_IN | {Right.SEE_CALLS, Right.EXPORT, Right.SEE_LIVE, Right.OWN_PRESENCE, Right.DESK},
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """The account a request is made for, by a session's cookie or by a token. `agent_id` and `extension` are None where
    the account belongs to no agent."""

    account_id: int
    name: str
    full_name: str
    role: str
    agent_id: int | None = None
    extension: str | None = None

    def may(self, right: Right) -> bool:
        if right in (Right.DESK, Right.OWN_PRESENCE):
            return self.agent_id is not None
        return right in RIGHTS[self.role]

    @property
    def only_agent(self) -> int | None:
        """The one agent whose calls may be seen; None: everybody's. An account that may see its own calls only, but
        belongs to no agent, sees those of agent 0, which are none."""
        return None if self.may(Right.ALL_CALLS) else self.agent_id or 0


def needs(right: Right) -> Callable[[View], View]:
    """Say what a view takes."""

    def mark(view: View) -> View:
        view.right = right  # type: ignore[attr-defined]
        return view

    return mark


def accepts(most_bytes: int) -> Callable[[View], View]:
    """Say that a view takes uploads of at most this size, where others take a megabyte."""

    def mark(view: View) -> View:
        view.most_bytes = most_bytes  # type: ignore[attr-defined]
        return view

    return mark


def most_bytes_of(endpoint: str) -> int | None:
    """What a view accepts, None where it says nothing."""
    most = getattr(current_app.view_functions[endpoint], "most_bytes", None)
    return most if isinstance(most, int) else None


def right_of(endpoint: str) -> Right | None:
    """What the view behind an endpoint takes, None where it says nothing."""
    right = getattr(current_app.view_functions[endpoint], "right", None)
    return right if isinstance(right, Right) else None


def viewer() -> Viewer:
    """Who this request is made for. Only in views that need a sign-in."""
    found = g.get("viewer")
    if not isinstance(found, Viewer):
        abort(401)
    return found


def check(found: Viewer | None) -> None:
    """Let the request go on for `found`, or abort: 401 where a sign-in is missing, 403 where the right is."""
    if request.endpoint is None:
        return
    right = right_of(request.endpoint)
    g.viewer = found
    if right is Right.ANYONE:
        return
    if found is None:
        abort(401)
    if right is None or not found.may(right):
        abort(403)
    # Only now, so that nobody sends much who may not.
    most = most_bytes_of(request.endpoint)
    if most is not None:
        request.max_content_length = most
