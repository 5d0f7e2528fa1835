"""What nodes may name: prompts with their words, queues, calendars, flows, extensions, boxes, languages, variables."""

from __future__ import annotations

from typing import Any

from admin.flows import work
from admin.parts import Parts
from conf.database import Database
from ivr.values import TOLD

_QUEUES = "SELECT name, COALESCE(NULLIF(title, ''), name) FROM queue ORDER BY 2"
_AGENTS = "SELECT extension, name FROM agent ORDER BY 1"
_CALENDARS = "SELECT name, name FROM calendar ORDER BY 1"
_FLOWS = """
SELECT f.name, COALESCE(NULLIF(v.document->>'title', ''), f.name) FROM flow f JOIN LATERAL (
    SELECT document FROM flow_version v WHERE v.flow_id = f.id ORDER BY version DESC LIMIT 1) v ON true ORDER BY 2"""
_SKILLS = "SELECT name, name FROM skill ORDER BY 1"


def all_choices(parts: Parts) -> dict[str, Any]:
    """For each kind a list of {value, title}; prompts also have `text`, `language` and `seconds`."""
    queues, agents = _pairs(parts.db, _QUEUES), _pairs(parts.db, _AGENTS)
    return {
        "prompt": prompts(),
        "queue": queues,
        "calendar": _pairs(parts.db, _CALENDARS),
        "flow": _pairs(parts.db, _FLOWS),
        "extension": agents,
        "box": [*queues, *agents],
        "skill": _pairs(parts.db, _SKILLS),
        "language": [{"value": name, "title": name} for name in work.catalogue().languages()],
        "told": sorted(TOLD),
    }


def extensions(parts: Parts) -> list[dict[str, str]]:
    """Desk phones with whose they are."""
    return _pairs(parts.db, _AGENTS)


def prompts() -> list[dict[str, Any]]:
    """Every prompt once, in the default language where it is there."""
    catalogue, found = work.catalogue(), dict[str, dict[str, Any]]()
    languages = sorted(catalogue.languages(), key=lambda name: name != catalogue.default_language)
    for language in languages:
        for name in catalogue.names(language):
            if name in found:
                found[name]["languages"].append(language)
                continue
            prompt = catalogue.find(name, language)
            found[name] = {
                "value": name,
                "title": name,
                "text": prompt.text,
                "language": prompt.language,
                "languages": [language],
                "seconds": prompt.seconds,
            }
    return [found[name] for name in sorted(found)]


def _pairs(db: Database, statement: str) -> list[dict[str, str]]:
    return [{"value": value, "title": title} for value, title in db.execute_sql(statement).fetchall()]
