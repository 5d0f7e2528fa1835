"""A queue's rules as the fields of a form, there and back.

Fields are named by their place in the document of engine.records.queues.QueueSettings: `rules.comfort.every_seconds`,
`rules.relaxations.0.after_seconds`. A destination is one text: `queue:sales`, `number:+4532101010`, `hang_up`; empty for none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from dialplan.destinations import FIELDS, Rule, decode
from engine.records.queues import OFFER_FAILURES, CallbackRules, QueueSettings, RulesInvalid, decode_queue, encode

SPARE_ROWS: Final = 1
"""Empty rows below those that are filled in, so that a row can be added where no script runs."""

PLAIN: Final = (
    "responsible_first_seconds", "last_agent_first_seconds", "vip_boost", "reentry_minutes", "nobody_grace_seconds",
    "all_paused_seconds", "most_expected_wait_seconds", "escalate_seconds",
)  # fmt: skip
WAYS: Final = ("timeout", "full", "no_agent", "all_paused", "after_hours", "overflow")
_CALLBACK: Final = ("attempts", "gap_seconds")


def destination(text: str) -> dict[str, Any]:
    """The document of a destination's text; what makes no sense in it is for the check that follows."""
    kind, _, value = text.partition(":")
    if kind in ("hang_up", "refuse"):
        return {"to": kind}
    return {"to": kind, FIELDS.get(kind, kind): value}


def destination_text(document: Mapping[str, Any] | None) -> str:
    """The text of a destination; `other` for one that leads by hours, which this form leaves as it is."""
    if document is None:
        return ""
    kind = str(document.get("to", ""))
    if kind == "by_hours":
        return "other"
    field = FIELDS.get(kind, kind)
    return f"{kind}:{document[field]}" if field in document and kind != "refuse" else kind


def ways_out(settings: QueueSettings) -> Iterator[tuple[str, Rule]]:
    """The ways out there are, each with its place in the document."""
    ways = settings.ways_out
    chosen = {name: getattr(ways, name) for name in WAYS} | {f"keys.{key}": way for key, way in ways.keys.items()}
    return ((f"ways_out.{name}", decode(way)) for name, way in chosen.items() if way is not None)


def shown(strategy: str, settings: QueueSettings) -> dict[str, str]:
    """The form's fields for these rules."""
    values = {"strategy": strategy}

    def put(path: str, value: object) -> None:
        values[f"rules.{path}"] = "" if value is None or value is False else "1" if value is True else f"{value}"

    for name in PLAIN:
        put(name, getattr(settings, name))
    put("redial_keeps_place", settings.redial_keeps_place)
    put("announce_caller", settings.announce_caller)
    put("calendar", settings.calendar)
    put("music", settings.music)
    for extension in settings.problem_agents:
        values[f"problem:{extension}"] = "1"
    for group in settings.members.groups:
        values[f"group:{group}"] = "1"
    for place, member in enumerate(settings.members.agents):
        for name in ("extension", "order", "delay_seconds"):
            put(f"members.agents.{place}.{name}", getattr(member, name))
    for place, step in enumerate(settings.relaxations):
        put(f"relaxations.{place}.after_seconds", step.after_seconds)
        what = f"drop:{step.drop}" if step.drop else f"group:{step.group}" if step.group else f"skill:{step.skill}"
        put(f"relaxations.{place}.what", what)
        put(f"relaxations.{place}.level", step.level)
    for name in WAYS:
        put(f"ways_out.{name}", destination_text(getattr(settings.ways_out, name)))
    for place, (key, way) in enumerate(settings.ways_out.keys.items()):
        put(f"ways_out.keys.{place}.key", key)
        put(f"ways_out.keys.{place}.to", destination_text(way))
    for failure in OFFER_FAILURES:
        consequence = getattr(settings.offers, failure)
        for name in ("then", "reason", "after_times", "delay_seconds"):
            put(f"offers.{failure}.{name}", getattr(consequence, name))
    put("wrap_up.mode", settings.wrap_up.mode if settings.wrap_up else None)
    put("wrap_up.seconds", settings.wrap_up.seconds if settings.wrap_up else None)
    for place, words in enumerate(settings.whisper):
        put(f"whisper.{place}.words", words)
    for place, prompt in enumerate(settings.comfort.prompts):
        put(f"comfort.prompts.{place}.name", prompt)
    put("comfort.every_seconds", settings.comfort.every_seconds)
    for name in ("say", "every_seconds", "only_falling", "least_gap_seconds", "up_to"):
        put(f"position.{name}", getattr(settings.position, name))
    put("expected_wait.say", settings.expected_wait.say)
    put("expected_wait.largest_error", round(settings.expected_wait.largest_error * 100))
    put("callback.on", settings.callback is not None)
    for name in ("offer_after_seconds", "key", "calendar", *_CALLBACK):
        put(f"callback.{name}", getattr(settings.callback or CallbackRules(), name))
    return values


def needs(levels: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Skill -> level as typed (`3`, or `=3` for that level only), as levels and the skills that are exact."""
    exact = [name for name, level in levels.items() if str(level).startswith("=")]
    return {name: str(level).removeprefix("=") for name, level in levels.items()}, exact


def typed(values: Mapping[str, str], before: QueueSettings) -> QueueSettings:
    """The rules that a form's fields say; ways out that the form cannot show stay as they were `before`. RulesInvalid, its
    `field` the name of the field at fault."""
    document = _document(values, encode(before))
    try:
        return decode_queue(document)
    except RulesInvalid as error:
        raise RulesInvalid(_field(error.field, document["ways_out"]["keys"]), _in_the_form(error)) from error


def _in_the_form(error: RulesInvalid) -> str:
    """What is wrong in the words of the form, where those of the document would not be understood there."""
    if error.field == "expected_wait.largest_error":
        return "must be 1 to 500"  # per cent here, a share there
    if error.message.startswith("`to` is one of"):
        return "choose where it leads"
    return "choose what happens then" if error.message.startswith("give exactly one of") else error.message


_PARTS: Final[Mapping[str, str]] = {
    "members": "Who serves it", "problem_agents": "Problem customers", "relaxations": "When nobody is free",
    "ways_out": "Limits and ways out", "most_expected_wait_seconds": "Limits and ways out", "calendar": "Limits and ways out",
    "nobody_grace_seconds": "Limits and ways out", "all_paused_seconds": "Limits and ways out", "offers": "Ringing agents",
    "whisper": "Whispered", "position": "What callers hear", "expected_wait": "What callers hear", "music": "Music",
    "comfort": "What callers hear", "callback": "Callback", "wrap_up": "After the talk", "vip_boost": "VIP boost",
    "responsible_first_seconds": "Responsible agent first", "last_agent_first_seconds": "Last agent first",
    "escalate_seconds": "Escalate after", "reentry_minutes": "Old place within",
}  # fmt: skip


def part_of(field: str) -> str:
    """What the part of the form is called in which a field of the rules stands, with its row where it is in a list; empty
    for other fields, whose faults name them."""
    if not field.startswith("rules.") and field not in _PARTS:
        return ""
    steps = field.removeprefix("rules.").split(".")
    row = next((f", row {int(step) + 1}" for step in steps if step.isdecimal()), "")
    return _PARTS.get(steps[0], "") + row


def field_of(path: str, values: Mapping[str, str]) -> str:
    """The form's field for what was refused in these values: a name as it is, or `rules.` and a place in the document."""
    by_key = {row.get("key", ""): row for row in rows(values, "rules.ways_out.keys")}
    return _field(path.removeprefix("rules."), by_key) if path.startswith("rules.") else path


def _document(values: Mapping[str, str], before: Mapping[str, Any]) -> dict[str, Any]:
    def text(path: str) -> str:
        return values.get(f"rules.{path}", "").strip()

    def part(prefix: str, *names: str) -> dict[str, Any]:
        return {name: _number(text(f"{prefix}{name}")) for name in names if text(f"{prefix}{name}")}

    found: dict[str, Any] = part("", *PLAIN)
    found |= {name: text(name) for name in ("calendar", "music") if text(name)}
    found |= {"redial_keeps_place": bool(text("redial_keeps_place")), "announce_caller": bool(text("announce_caller"))}
    found["problem_agents"] = _ticked(values, "problem:")
    found["members"] = {
        "groups": _ticked(values, "group:"),
        "agents": [_numbers(row) for row in rows(values, "rules.members.agents") if row.get("extension")],
    }
    found["relaxations"] = [_relaxation(row) for row in rows(values, "rules.relaxations")]
    kept = before.get("ways_out", {})
    ways: dict[str, Any] = {name: _way(text(f"ways_out.{name}"), kept.get(name)) for name in WAYS}
    ways["keys"] = {
        row.get("key", ""): _way(row.get("to", ""), kept.get("keys", {}).get(row.get("key", ""))) or {}
        for row in rows(values, "rules.ways_out.keys")
    }
    found["ways_out"] = ways
    found["offers"] = {
        failure: part(f"offers.{failure}.", "after_times", "delay_seconds")
        | {name: text(f"offers.{failure}.{name}") for name in ("then", "reason") if text(f"offers.{failure}.{name}")}
        for failure in OFFER_FAILURES
    }
    if text("wrap_up.mode"):
        found["wrap_up"] = {"mode": text("wrap_up.mode")} | part("wrap_up.", "seconds")
    found["whisper"] = [row["words"] for row in rows(values, "rules.whisper")]
    found["comfort"] = {"prompts": [row["name"] for row in rows(values, "rules.comfort.prompts")]} | part(
        "comfort.", "every_seconds"
    )
    found["position"] = {name: bool(text(f"position.{name}")) for name in ("say", "only_falling")} | part(
        "position.", "every_seconds", "least_gap_seconds", "up_to"
    )
    error = _number(text("expected_wait.largest_error"))
    found["expected_wait"] = {"say": bool(text("expected_wait.say"))} | (
        {} if error == "" else {"largest_error": error / 100 if isinstance(error, int) else error}
    )
    if text("callback.on"):
        found["callback"] = part("callback.", *_CALLBACK) | {
            "offer_after_seconds": _number(text("callback.offer_after_seconds")) or None,
            "key": text("callback.key") or None,
            "calendar": text("callback.calendar") or None,
        }
    return found


def rows(values: Mapping[str, str], prefix: str) -> list[dict[str, str]]:
    """The rows of a list that have something in them, in their order; each its fields by their last name."""
    found: dict[int, dict[str, str]] = {}
    for key, value in values.items():
        if key.startswith(f"{prefix}."):
            place, _, name = key.removeprefix(f"{prefix}.").partition(".")
            if place.isdecimal() and name and value.strip():
                found.setdefault(int(place), {})[name] = value.strip()
    return [found[place] for place in sorted(found)]


def numbered(values: Mapping[str, str], prefix: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """What a template draws of a list: its rows, and spare ones."""
    filled: Sequence[Mapping[str, str]] = rows(values, prefix)
    yield from enumerate([*filled, *({} for _ in range(SPARE_ROWS))])


def _ticked(values: Mapping[str, str], prefix: str) -> list[str]:
    return [key.removeprefix(prefix) for key, value in values.items() if key.startswith(prefix) and value]


def _number(text: str) -> Any:
    return int(text) if text.removeprefix("-").isdecimal() else text


def _numbers(row: Mapping[str, str]) -> dict[str, Any]:
    return {name: value if name == "extension" else _number(value) for name, value in row.items()}


def _relaxation(row: Mapping[str, str]) -> dict[str, Any]:
    step: dict[str, Any] = {"after_seconds": _number(row.get("after_seconds", ""))}
    kind, _, name = row.get("what", "").partition(":")
    if kind in ("drop", "skill", "group"):
        step[kind] = name
    if kind == "skill":
        step["level"] = _number(row.get("level", "")) or None
    return step


def _way(text: str, before: Any) -> dict[str, Any] | None:
    if text == "other":
        return before if isinstance(before, dict) else None
    return destination(text) if text else None


def _field(path: str, by_key: Mapping[str, Any]) -> str:
    """The form's field for a place in the document; `by_key` is what it says of keys, in the order of their rows."""
    parts = path.split(".")
    match parts:
        case ["relaxations", place]:
            return f"rules.relaxations.{place}.what"
        case ["relaxations", place, "drop" | "skill" | "group"]:
            return f"rules.relaxations.{place}.what"
        case ["members", "agents", place]:
            return f"rules.members.agents.{place}.extension"
        case ["members", "groups", *_] | ["problem_agents", *_]:
            return parts[0]
        case ["ways_out", "keys", *rest]:
            keys = list(by_key)
            key = rest[0] if rest else next((key for key in keys if len(key) != 1), "")
            return f"rules.ways_out.keys.{keys.index(key)}.to" if key in keys else "rules.ways_out.keys.0.key"
        case ["whisper", place]:
            return f"rules.whisper.{place}.words"
        case ["comfort", "prompts", place]:
            return f"rules.comfort.prompts.{place}.name"
        case ["strategy"]:
            return "strategy"
        case _:
            return f"rules.{path}"


def compact(values: Mapping[str, str]) -> dict[str, str]:
    """The same fields with lists numbered without gaps, as the rules count them, so that a fault stands beside its row."""
    lists = (
        "rules.relaxations",
        "rules.members.agents",
        "rules.ways_out.keys",
        "rules.whisper",
        "rules.comfort.prompts",
    )
    kept = {key: value for key, value in values.items() if not key.startswith(tuple(f"{name}." for name in lists))}
    for name in lists:
        for place, row in enumerate(rows(values, name)):
            kept |= {f"{name}.{place}.{field}": value for field, value in row.items()}
    return kept
