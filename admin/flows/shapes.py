"""What the flows' pages and the API take and give. Times are ISO 8601 in UTC, lengths seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from ivr.values import Value, VariableName

NAME = r"^[a-z0-9][a-z0-9_-]{0,59}$"
Document = dict[str, Any]


class FlowPath(BaseModel):
    name: str = Field(pattern=NAME)


class VersionPath(FlowPath):
    version: int = Field(ge=1)


class TestPath(FlowPath):
    __test__ = False
    test: str = Field(min_length=1, max_length=100)


class FlowLine(BaseModel):
    """A flow in the list. `in_force` is the published version, 0 for none; `changed` says that there is a newer draft."""

    name: str
    title: str
    nodes: int
    author: str
    saved_at: datetime
    changed: bool
    in_force: int
    in_force_at: datetime | None
    in_force_by: str
    tests: int
    problems: int
    serious: int


class FlowsOut(BaseModel):
    flows: Sequence[FlowLine]


class NewFlowIn(BaseModel):
    name: str = Field(
        title="Name", pattern=NAME, description="Small letters, digits, - and _ only, for example main_line."
    )
    title: str = Field(default="", title="Title", max_length=200)
    template: str = Field(default="empty", title="Template", max_length=60)


class ImportIn(BaseModel):
    """A flow as `pointsman flow export` writes it; `name` replaces the one in it."""

    yaml: str = Field(min_length=1, max_length=4_000_000)
    name: str = Field(default="", max_length=60)


class ProblemOut(BaseModel):
    node: str
    exit: str
    field: str
    fault: str
    mend: str
    serious: bool


class HeadOut(BaseModel):
    """Which version is the newest, and whose. Whoever saves gives `revision` back."""

    name: str
    version: int
    revision: int
    author: str
    saved_at: datetime
    published: bool
    in_force: int


class WorkOut(HeadOut):
    """The newest version with what is wrong with it. `exits` has those of nodes whose exits depend on what they hold."""

    document: Document
    problems: Sequence[ProblemOut]
    exits: Mapping[str, Sequence[Mapping[str, Any]]]


class DraftIn(BaseModel):
    """`revision` is the one that was seen last; with `apart` a version of its own is begun also on top of an own draft."""

    document: Document
    revision: int
    apart: bool = False


class SavedOut(HeadOut):
    problems: Sequence[ProblemOut]
    exits: Mapping[str, Sequence[Mapping[str, Any]]]


class DocumentIn(BaseModel):
    document: Document


class DocumentsIn(BaseModel):
    before: Document
    after: Document


class LayoutOut(BaseModel):
    layout: Mapping[str, tuple[int, int]]


class TestedOut(BaseModel):
    __test__ = False
    name: str
    passed: bool
    blocks: bool
    differences: Sequence[str]
    path: Sequence[str]
    prompts: Sequence[str]
    end: str


class CheckIn(BaseModel):
    """`version` is the one to check, the newest where none is given."""

    version: int | None = Field(default=None, ge=1)


class VerdictOut(BaseModel):
    fit: bool
    problems: Sequence[ProblemOut]
    tested: Sequence[TestedOut]


class PublishIn(BaseModel):
    """`revision` is the draft's as it was seen, `in_force` the version that was in force then, 0 for none."""

    revision: int
    in_force: int = Field(ge=0)
    note: str = Field(default="", max_length=400)


class RollBackIn(BaseModel):
    version: int = Field(ge=1)
    in_force: int = Field(ge=0)


class VersionOut(BaseModel):
    version: int


class HistoryLine(BaseModel):
    version: int
    author: str
    published_at: datetime | None
    saved_at: datetime | None
    note: str
    state: Literal["in force", "published", "draft"]


class HistoryOut(BaseModel):
    versions: Sequence[HistoryLine]


class VersionDocumentOut(BaseModel):
    version: int
    document: Document
    exits: Mapping[str, Sequence[Mapping[str, Any]]]


class DifferenceQuery(BaseModel):
    before: int = Field(ge=1)
    after: int = Field(ge=1)


class ChangeOut(BaseModel):
    what: Literal["added", "removed", "renamed", "changed"]
    node: str
    field: str
    before: Any
    after: Any
    words: str


class DifferenceOut(BaseModel):
    changes: Sequence[ChangeOut]


class DaysQuery(BaseModel):
    days: int = Field(default=7, ge=1, le=92)


class TestsOut(BaseModel):
    __test__ = False
    tests: Sequence[Document]


class TestsRunIn(BaseModel):
    """`version` is the one to try, by default the newest."""

    __test__ = False
    version: int | None = Field(default=None, ge=1)


class FromCallIn(BaseModel):
    call_id: str = Field(max_length=40)
    name: str = Field(title="Name", min_length=1, max_length=100)


class FromCallOut(BaseModel):
    flow: str
    test: Document


class Move(BaseModel):
    """One decision of a walk: keys pressed `after` seconds, silence, how something ends, or hanging up."""

    do: Literal["press", "wait", "decide", "hang_up"]
    keys: str = Field(default="", pattern=r"^[0-9*#]{0,40}$")
    after: float = Field(default=1.0, ge=0, le=3600)
    choice: str = Field(default="", max_length=60)
    seconds: float | None = Field(default=None, ge=0, le=86_400)
    variables: dict[VariableName, Value] = Field(default_factory=dict, max_length=50)


class WalkIn(BaseModel):
    """A walk and all its moves so far; it is walked anew each time, so nothing is kept between two requests. `at` is when the
    call begins, by default now; `start` begins at another node than the first."""

    version: int | None = Field(default=None, ge=1, description="By default the newest.")
    start: str = Field(default="", max_length=60)
    at: AwareDatetime | None = None
    caller: str = Field(default="", max_length=40)
    called: str = Field(default="", max_length=40)
    customer_id: int | None = None
    variables: dict[VariableName, Value] = Field(default_factory=dict, max_length=50)
    moves: Annotated[list[Move], Field(max_length=400)] = Field(default_factory=list)


class NumberWalkIn(WalkIn):
    """A walk from a number on: it is led as its opening hours have it at that instant."""

    number: str = Field(min_length=1, max_length=40)


class TrialPath(BaseModel):
    call_id: UUID


class TrialIn(BaseModel):
    """A real call to `number`: on the virtual switch by a caller made of software with the number `caller`; on FreeSWITCH the
    phone of `extension` rings first and is then connected."""

    number: str = Field(min_length=1, max_length=40)
    caller: str = Field(default="", max_length=40)
    extension: str = Field(default="", max_length=10)
    press: str = Field(default="", max_length=200, description="On the virtual switch: keys such as 1,w2,#.")


class SoundPath(BaseModel):
    language: str = Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    prompt: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,79}$")


class SpeechPath(BaseModel):
    speech: str = Field(pattern=r"^[0-9a-f]{32}$")
