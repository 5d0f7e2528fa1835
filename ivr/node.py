"""What every node of a flow is, and the list of all types of them.

A node is data: its type, its own fields, and `exits`, which names for each of its exits the node that follows. Its class knows
which exits there are and what is done when a call comes by.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ivr.says import Say

if TYPE_CHECKING:
    from ivr.visit import Visit

ERROR = "error"
NodeName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,59}$")]
Group = Literal["speak", "ask", "decide", "connect", "look_up", "note", "flow"]
ReferenceKind = Literal["prompt", "calendar", "queue", "extension", "box", "flow", "skill", "mail", "trunk"]


@dataclass(frozen=True, slots=True)
class Exit:
    """One way out of a node. It must lead somewhere unless one of the next two is given."""

    name: str
    falls_to: str | None = None
    """Without a node of its own it leads where this other exit leads."""
    ends: bool = False
    """Without a node of its own the flow ends here."""
    paced: bool = False
    """Nobody takes it without having pressed a key or truly waited, so a circle through it cannot spin."""
    title: str = ""
    """What people call it; its name where this is empty."""
    returns: bool = False
    """Without a node of its own it leads back to where the call came from."""


@dataclass(frozen=True, slots=True)
class Form:
    """What people are told of a node type: what it is called, what it does in one sentence, among which others it stands, and
    its icon (a name in Tabler's set)."""

    title: str
    help: str
    group: Group
    icon: str


@dataclass(frozen=True, slots=True)
class MoreExits:
    """Exits that people add themselves: the form of their names, and what they are."""

    pattern: str
    title: str
    help: str


@dataclass(frozen=True, slots=True)
class Reference:
    """Something outside the flow that a node needs. `language` is that of a prompt which is spoken in this one alone, empty for
    the caller's."""

    kind: ReferenceKind
    name: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """A variable that a node reads. `seen` says by whom what is done with it can be read afterwards; empty where by nobody,
    so that a secret may be used so."""

    variable: str
    seen: str = ""


def _keys_as_text(exits: object) -> object:
    """A menu's keys are numbers to YAML and JSON writers alike."""
    if isinstance(exits, Mapping):
        return {str(key) if type(key) is int else key: target for key, target in exits.items()}
    return exits


class Node(BaseModel):
    """The base of all node types. Immutable; `run` keeps nothing on the node, for many calls share it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: ClassVar[Form]
    own_exits: ClassVar[tuple[Exit, ...]] = ()
    more_exits: ClassVar[MoreExits | None] = None
    starter: ClassVar[Mapping[str, Any]] = {}
    """What a new node of the type has beside what is by default."""
    asks_the_house: ClassVar[bool] = False
    """Whether its exit is decided outside the telephone, by people, services or tickets. Tests and simulations of a flow say
    for themselves what comes of such a node."""

    type: str
    title: str = Field(default="", max_length=200)
    exits: Annotated[dict[str, str], BeforeValidator(_keys_as_text)] = Field(default_factory=dict)
    """Exit -> name of the node that follows."""

    @abstractmethod
    def run(self, visit: Visit) -> str:
        """Do this node's work for one call and return the exit it leaves by.

        Any PointsmanError but Gone leads to the exit `error`.
        """

    def ways(self) -> tuple[Exit, ...]:
        """All exits this node has, but for `error`, which each has."""
        return self.own_exits

    def prompts_spoken(self) -> Iterable[str | Say]:
        """Everything that this node may say."""
        return getattr(self, "prompts", ())

    def references(self) -> Iterator[Reference]:
        """What this node needs from outside the flow."""
        for item in self.prompts_spoken():
            if isinstance(item, str):
                yield Reference("prompt", item)
            else:
                for calendar in item.calendars():
                    yield Reference("calendar", calendar)

    def uses(self) -> Iterator[Use]:
        """The variables it reads."""
        for item in self.prompts_spoken():
            if not isinstance(item, str):
                for name in item.variables():
                    # What a synthesiser spoke is kept as a file.
                    yield Use(name, "in a file of speech" if item.say == "text" else "")

    def sets(self) -> Iterator[str]:
        """The variables it may set."""
        return iter(())

    def secrets(self) -> Iterator[str]:
        """Those it sets as secrets."""
        return iter(())

    def languages(self) -> Iterator[str]:
        """The languages that callers may be spoken to in after it."""
        return iter(())

    def every_way(self) -> tuple[Exit, ...]:
        """All exits this node has. An `error` that leads nowhere ends the call with an apology."""
        return (*self.ways(), Exit(ERROR, ends=True))

    def target(self, way: Exit) -> str | None:
        """Where an exit leads, by itself or as another one does; None where nowhere."""
        own = self.exits.get(way.name)
        return own if own is not None or way.falls_to is None else self.exits.get(way.falls_to)


AnyNode = TypeVar("AnyNode", bound=Node)


class Registry:
    """The node types by name. Refuses a second one of the same name the moment it is declared."""

    def __init__(self) -> None:
        self._types: dict[str, type[Node]] = {}

    def add(self, node_class: type[AnyNode]) -> type[AnyNode]:
        """Declare a type; its name is what its field `type` is held to. Used as a decorator."""
        names = get_args(node_class.model_fields["type"].annotation)
        if len(names) != 1 or not isinstance(names[0], str):
            raise TypeError(f"{node_class.__name__} must hold its `type` to one literal name")
        if not isinstance(getattr(node_class, "form", None), Form):
            raise TypeError(f"{node_class.__name__} says nothing of its form")
        if names[0] in self._types:
            raise TypeError(
                f"{node_class.__name__}: node type {names[0]!r} is {self._types[names[0]].__name__} already"
            )
        self._types[names[0]] = node_class
        return node_class

    def types(self) -> Mapping[str, type[Node]]:
        """All types declared so far."""
        return dict(self._types)


_registry = Registry()
node_type = _registry.add


def node_types() -> Mapping[str, type[Node]]:
    """All node types by name. Import `ivr.nodes` first, which declares ours."""
    return _registry.types()
