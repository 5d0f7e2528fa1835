"""What the terms of the records are called on a page, and how numbers, lengths and times are written there.

Each state is a word, an icon and a tone; the tone is a colour with one meaning: `good` answered or ready, `wait` waiting or
paused, `bad` missed, unanswered or broken, `talk` in talk, `away` offline or of no account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Mark:
    word: str
    icon: str
    tone: str


STATUSES: Mapping[str, Mark] = {
    "answered": Mark("Answered", "phone-call", "good"),
    "self_service": Mark("Self-service", "route", "good"),
    "callback": Mark("Callback", "phone-outgoing", "good"),
    "voicemail": Mark("Message left", "message", "wait"),
    "abandoned_ivr": Mark("Hung up in menu", "phone-off", "bad"),
    "abandoned_queue": Mark("Gave up waiting", "hourglass", "bad"),
    "abandoned_ringing": Mark("Hung up while ringing", "phone-x", "bad"),
    "short_abandon": Mark("Hung up at once", "phone-off", "away"),
    "timeout": Mark("Waited too long", "hourglass", "bad"),
    "no_agent": Mark("No agent", "user-off", "bad"),
    "full": Mark("Queue full", "users", "bad"),
    "exit_key": Mark("Left by key", "door-exit", "away"),
    "after_hours": Mark("After hours", "moon", "away"),
    "blocked": Mark("Blocked", "ban", "bad"),
    "busy": Mark("Busy", "phone-x", "bad"),
    "no_answer": Mark("No answer", "phone-x", "bad"),
    "rejected": Mark("Declined", "phone-x", "bad"),
    "unreachable": Mark("Not reachable", "phone-x", "bad"),
    "network": Mark("Network fault", "wifi-off", "bad"),
}
DIRECTIONS: Mapping[str, Mark] = {
    "inbound": Mark("Inbound", "phone-incoming", "plain"),
    "outbound": Mark("Outbound", "phone-outgoing", "plain"),
    "internal": Mark("Internal", "arrows-left-right", "plain"),
}
CATEGORIES: Mapping[str, Mark] = {
    "vip": Mark("VIP", "star", "vip"),
    "problem": Mark("Problem", "flag", "bad"),
    "average": Mark("Average", "user", "away"),
}
SEGMENTS: Mapping[str, Mark] = {
    "ivr": Mark("Menu", "route", "away"),
    "queue": Mark("Waiting", "hourglass", "wait"),
    "offer": Mark("Ringing", "phone-ringing", "wait"),
    "talk": Mark("Talk", "phone-call", "talk"),
    "hold": Mark("On hold", "player-pause", "wait"),
    "consult": Mark("Consulting", "users", "talk"),
    "wrap_up": Mark("Wrap-up", "pencil", "away"),
    "voicemail": Mark("Message", "message", "wait"),
    "callback": Mark("Callback", "phone-outgoing", "talk"),
}
LIVE_STATES: Mapping[str, Mark] = {
    "ivr": Mark("In menu", "route", "away"),
    "queue": Mark("Waiting", "hourglass", "wait"),
    "offer": Mark("Ringing", "phone-ringing", "wait"),
    "talk": Mark("In talk", "phone-call", "talk"),
    "hold": Mark("On hold", "player-pause", "wait"),
    "voicemail": Mark("Leaving message", "message", "wait"),
    "callback": Mark("Calling back", "phone-outgoing", "talk"),
}
OFFER_RESULTS: Mapping[str, Mark] = {
    "answered": Mark("Answered", "check", "good"),
    "no_answer": Mark("No answer", "phone-x", "bad"),
    "busy": Mark("Busy", "phone-x", "bad"),
    "rejected": Mark("Declined", "x", "bad"),
    "unreachable": Mark("Not reachable", "wifi-off", "bad"),
    "caller_left": Mark("Caller left", "phone-off", "away"),
    "taken": Mark("A colleague was quicker", "users", "away"),
    "failed": Mark("Failed", "alert-triangle", "bad"),
}
QUEUE_RESULTS: Mapping[str, Mark] = {
    "answered": Mark("Answered", "check", "good"),
    "abandoned": Mark("Gave up", "phone-off", "bad"),
    "short_abandon": Mark("Hung up at once", "phone-off", "away"),
    "timeout": Mark("Waited too long", "hourglass", "bad"),
    "no_agent": Mark("No agent", "user-off", "bad"),
    "full": Mark("Queue full", "users", "bad"),
    "exit_key": Mark("Left by key", "door-exit", "away"),
    "after_hours": Mark("After hours", "moon", "away"),
    "callback": Mark("Callback", "phone-outgoing", "good"),
    "failed": Mark("Failed", "alert-triangle", "bad"),
    "all_paused": Mark("All paused", "coffee", "bad"),
    "overflow": Mark("Wait would be too long", "hourglass", "bad"),
    "moved": Mark("Moved", "arrow-forward-up", "away"),
}
CALLBACKS: Mapping[str, Mark] = {
    "owed": Mark("Owed", "hourglass", "wait"),
    "calling": Mark("Being called", "phone-ringing", "talk"),
    "done": Mark("Reached", "check", "good"),
    "failed": Mark("Not reached", "phone-x", "bad"),
    "cancelled": Mark("Cancelled", "x", "away"),
}
CALLBACK_RESULTS: Mapping[str, Mark] = {
    "answered": Mark("Reached", "check", "good"),
    "machine": Mark("Nobody confirmed", "phone-off", "bad"),
    "no_answer": Mark("No answer", "phone-x", "bad"),
    "busy": Mark("Busy", "phone-x", "bad"),
    "rejected": Mark("Declined", "x", "bad"),
    "unreachable": Mark("Not reachable", "wifi-off", "bad"),
    "forbidden": Mark("May not be called", "ban", "bad"),
    "agent_left": Mark("Agent hung up", "phone-off", "away"),
    "failed": Mark("Failed", "alert-triangle", "bad"),
}
ENDED_BY: Mapping[str, str] = {"caller": "Caller", "agent": "Agent", "system": "System", "transfer": "Transfer"}
EXITS: Mapping[str, str] = {"hung_up": "caller hung up", "lost": "the process was lost"}
ROLES: Mapping[str, str] = {
    "admin": "Administrator",
    "supervisor": "Supervisor",
    "analyst": "Analyst",
    "agent": "Agent",
}
LEVELS: Mapping[int, str] = {1: "beginner", 2: "basic", 3: "good", 4: "strong", 5: "expert"}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SYSTEM_PAUSES: Mapping[str, str] = {
    "no_answer": "did not answer",
    "busy": "phone was busy",
    "unreachable": "phone not reachable",
    "rejected": "declined a call",
    "phone_gone": "phone signed out",
}
"""Reasons that the system gives a pause by itself."""

READY = Mark("Ready", "circle-check", "good")
OFFLINE = Mark("Offline", "circle-dashed", "away")
UNKNOWN = Mark("–", "info-circle", "away")


def mark(marks: Mapping[str, Mark], term: str | None) -> Mark:
    """The mark of a term; a term that is not among them is shown as it is, in words."""
    if not term:
        return UNKNOWN
    return marks.get(term) or Mark(term.replace("_", " ").capitalize(), "info-circle", "away")


def pause_reason(reason: str | None, titles: Mapping[str, str] | None = None) -> str:
    """`lunch` -> `Lunch` by the `titles` of those that the user keeps; one that is not among them is shown as it is."""
    said = reason or ""
    return (titles or {}).get(said) or SYSTEM_PAUSES.get(said) or said.replace("_", " ")


def agent_mark(
    presence: str | None, work: str | None, reason: str | None = None, titles: Mapping[str, str] | None = None
) -> Mark:
    """What an agent is doing now, from the presence they chose and the system's own work state."""
    after = {"pause": ", then pause", "offline": ", then offline"}.get(presence or "", "")
    if work == "talking":
        return Mark("In talk" + after, "phone-call", "talk")
    if work == "offered":
        return Mark("Ringing" + after, "phone-ringing", "wait")
    if work == "wrap_up":
        return Mark("Wrap-up" + after, "pencil", "wait")
    if presence == "ready":
        return READY
    if presence == "pause":
        said = pause_reason(reason, titles)
        return Mark(f"Pause: {said}" if said else "Pause", "coffee", "wait")
    return OFFLINE


def length(seconds: Any) -> str:
    """`65` -> `1:05`, `3723` -> `1:02:03`; nothing -> an en dash. Parts of a second are rounded to the nearest."""
    if seconds is None:
        return "–"
    whole = max(0, int(float(seconds) + 0.5))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def spoken_length(seconds: Any) -> str:
    """`65` -> `1 min 5 s`, for those who hear the page."""
    whole = max(0, int(float(seconds or 0) + 0.5))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    said = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes) + [f"{left} s"] * bool(left or whole < 60)
    return " ".join(said)


def day_name(day: date, today: date) -> str:
    """`Today`, `Yesterday`, `Tuesday 4 March`, with the year where it is another one."""
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    named = f"{WEEKDAYS[day.weekday()]} {day.day} {day:%B}"
    return named if day.year == today.year else f"{named} {day.year}"


def instant(at: datetime | None, zone: ZoneInfo) -> str:
    """`4 March 2026, 09:15:07` in the zone."""
    if at is None:
        return "–"
    local = at.astimezone(zone)
    return f"{local.day} {local:%B %Y, %H:%M:%S}"


def clock_time(at: datetime | None, zone: ZoneInfo, *, seconds: bool = False) -> str:
    if at is None:
        return "–"
    return f"{at.astimezone(zone):%H:%M:%S}" if seconds else f"{at.astimezone(zone):%H:%M}"


def ago(at: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    """Relative where it is fresh: `now`, `2 min`, `3 h`; then the day with its time."""
    if at is None:
        return "–"
    passed = (now - at).total_seconds()
    if passed < 60:
        return "now"
    if passed < 3600:
        return f"{int(passed // 60)} min"
    if passed < 6 * 3600:
        return f"{int(passed // 3600)} h"
    return when(at, now, zone)


def when(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """A time of day, with its day where that is not today: `14:30`, `tomorrow 09:00`, `24 Nov 09:00`."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    near = {0: "", -1: "yesterday ", 1: "tomorrow "}.get((local.date() - today).days)
    if near is not None:
        return f"{near}{local:%H:%M}"
    return f"{local.day} {local:%b %H:%M}" if local.year == today.year else f"{local.day} {local:%b %Y %H:%M}"


def initials(name: str) -> str:
    words = [word for word in name.split() if word]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper() or "?"
