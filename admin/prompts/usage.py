"""Where prompts and music are used: flows and their drafts, queues, calendars, and what puts numbers into words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from conf.database import Database
from ivr.errors import FlowInvalid
from ivr.flow import Flow
from ivr.interpreter import APOLOGY
from sounds import catalogue, languages

UseKind = Literal["flow", "queue", "calendar", "spoken", "engine"]

OF_THE_ENGINE: Final[Mapping[str, str]] = {
    APOLOGY: "callers to whom nothing else can be said",
    "tone": "the start of every recording",
    "goodbye": "numbers that say goodbye",
    "ring_failed": "extensions that nobody answers",
    "voicemail_greeting": "extensions that take messages",
    "voicemail_too_short": "recordings by telephone",
    "menu_no_match": "codes of desk phones",
    "not_valid_number": "callbacks",
}
"""What is said without being named in a flow, and when."""

_BY_PREFIX: Final[Mapping[str, str]] = {
    "callback_": "callbacks",
    "feature_": "codes of desk phones",
    "message_": "messages by telephone",
    "messages_": "messages by telephone",
    "record_prompt_": "recordings by telephone",
}

_KEPT: Final = 2000

_IN_FORCE_AND_NEWER = """
    SELECT f.name, v.id, md5(v.document::text), v.published_at IS NULL
    FROM flow f JOIN flow_version v ON v.flow_id = f.id
    WHERE v.version >= COALESCE((SELECT max(version) FROM flow_version w
                                 WHERE w.flow_id = f.id AND w.published_at IS NOT NULL), 0)
    ORDER BY f.name, v.version"""

_DOCUMENTS: Final[Mapping[UseKind, str]] = {
    "queue": "SELECT COALESCE(NULLIF(title, ''), name), rules FROM queue ORDER BY 1",
    "calendar": "SELECT name, document FROM calendar UNION ALL SELECT c.name, jsonb_build_object('prompt', e.prompt) "
    "FROM calendar_emergency e JOIN calendar c ON c.id = e.calendar_id WHERE e.ended_at IS NULL ORDER BY 1",
}
_PROMPT_KEYS: Final = frozenset({"prompts", "prompt", "whisper"})
"""The keys of documents below which texts name prompts."""


@dataclass(frozen=True, slots=True)
class Use:
    """One place. `where` is the node of a flow, or says more; a `draft` is heard by nobody yet."""

    kind: UseKind
    name: str
    where: str = ""
    draft: bool = False

    def __str__(self) -> str:
        if self.kind in ("spoken", "engine"):
            return self.where
        inside = f", node {self.where}" if self.where else ""
        return f"{self.kind} {self.name}{inside}{' (draft)' if self.draft else ''}"


@dataclass(frozen=True, slots=True)
class _FlowSpeaks:
    """What one version of a flow says: pairs of name and node, and the languages callers may be spoken to in."""

    prompts: tuple[tuple[str, str], ...]
    music: tuple[tuple[str, str], ...]
    languages: frozenset[str]


Uses = Mapping[str, Sequence[Use]]


class Usage:
    """What is used where, asked of the database each time; a version of a flow is read once."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._read: dict[tuple[int, str], _FlowSpeaks] = {}

    def prompts(self) -> Uses:
        """Name of a prompt -> the places that name it."""
        found: dict[str, list[Use]] = defaultdict(list)
        for flow, draft, speaks in self._flows():
            for name, node in speaks.prompts:
                found[name].append(Use("flow", flow, node, draft))
        for kind, statement in _DOCUMENTS.items():
            for owner, document in self._db.execute_sql(statement).fetchall():
                for name in dict.fromkeys(_prompts(document)):
                    use = Use(kind, owner)
                    if use not in found[name]:
                        found[name].append(use)
        for name in frozenset().union(*(languages.of(code).names() for code in languages.codes())):
            found[name].append(Use("spoken", "", "numbers, times and dates"))
        for name in catalogue.Catalogue([catalogue.SHIPPED]).texts(catalogue.DEFAULT_LANGUAGE):
            why = next((word for prefix, word in _BY_PREFIX.items() if name.startswith(prefix)), "")
            if why:
                found[name].append(Use("engine", "", why))
        for name, why in OF_THE_ENGINE.items():
            found[name].append(Use("engine", "", why))
        return dict(found)

    def music(self) -> Uses:
        """Name of a music -> the queues and flows that chose it."""
        found: dict[str, list[Use]] = defaultdict(list)
        for queue, rules in self._db.execute_sql(
            "SELECT COALESCE(NULLIF(title, ''), name), rules FROM queue ORDER BY 1"
        ).fetchall():
            name = rules.get("music") if isinstance(rules, dict) else None
            if isinstance(name, str) and name:
                found[name].append(Use("queue", queue))
        for flow, draft, speaks in self._flows():
            for name, node in speaks.music:
                found[name].append(Use("flow", flow, node, draft))
        return dict(found)

    def languages(self) -> frozenset[str]:
        """The languages that callers of any flow may be spoken to in."""
        return frozenset().union(*(speaks.languages for _, _, speaks in self._flows()))

    def _flows(self) -> Iterator[tuple[str, bool, _FlowSpeaks]]:
        """Each version that is in force or newer: the flow's name, whether it is a draft, what it says."""
        for flow, version_id, mark, draft in self._db.execute_sql(_IN_FORCE_AND_NEWER).fetchall():
            key = (int(version_id), str(mark))
            if key not in self._read:
                row = self._db.execute_sql("SELECT document FROM flow_version WHERE id = %s", key[:1]).fetchone()
                if len(self._read) >= _KEPT:
                    self._read.clear()
                self._read[key] = _speaks(row[0] if row else {})
            yield flow, draft, self._read[key]


def _speaks(document: Any) -> _FlowSpeaks:
    try:
        flow = Flow.parse(document)
    except FlowInvalid:
        # A draft may be unfinished; what looks like a prompt in it is taken for one.
        nodes = document.get("nodes") if isinstance(document, dict) else None
        nodes = nodes if isinstance(nodes, dict) else {}
        pairs = [(name, str(node)) for node, content in nodes.items() for name in dict.fromkeys(_prompts(content))]
        language = document.get("language") if isinstance(document, dict) else None
        return _FlowSpeaks(tuple(pairs), (), frozenset({language} if isinstance(language, str) else ()))
    prompts = dict.fromkeys(
        (reference.name, node)
        for node, content in flow.nodes.items()
        for reference in content.references()
        if reference.kind == "prompt"
    )
    music = [(name, node) for node, content in flow.nodes.items() if (name := getattr(content, "music", None))]
    spoken = {flow.language, *(language for node in flow.nodes.values() for language in node.languages())}
    return _FlowSpeaks(tuple(prompts), tuple((str(name), node) for name, node in music), frozenset(spoken))


def _prompts(content: Any, named: bool = False) -> Iterator[str]:
    """The texts below every key that names prompts."""
    if isinstance(content, str):
        if named and content:
            yield content
    elif isinstance(content, list):
        for value in content:
            yield from _prompts(value, named)
    elif isinstance(content, dict):
        for key, value in content.items():
            yield from _prompts(value, named or key in _PROMPT_KEYS)
