"""What a queue and an agent are set up with beyond their columns: one validated JSON document each.

`QueueSettings` stands in `queue.rules`, `AgentSettings` in `agent.rules`. All values have defaults, so `{}` is a document, and
what stands at its default is left out of the stored one. A destination is the JSON object of dialplan.destinations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta

from conf.errors import PointsmanError
from dialplan import destinations
from dialplan.errors import DestinationInvalid

MOST_RELAXATIONS: Final = 20
DAY: Final = 86_400

Seconds = Annotated[int, Meta(ge=0, le=DAY)]
SomeSeconds = Annotated[int, Meta(ge=1, le=DAY)]
Level = Annotated[int, Meta(ge=1, le=5)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Extension = Annotated[str, Meta(pattern="^[0-9]{2,6}$")]
Key = Annotated[str, Meta(pattern="^[0-9*#]$")]
Destination = dict[str, Any]
"""See dialplan.destinations."""

OFFER_FAILURES: Final = ("no_answer", "busy", "rejected", "unreachable")


class RulesInvalid(PointsmanError):
    """A document that cannot be taken; `field` is the path of what is wrong in it (`comfort.every_seconds`), empty where it is
    all of it, and the message names fault and mend."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Need(_Part, frozen=True):
    """A skill's level: the least that serves, or with `exact` the only one."""

    level: Level
    exact: bool = False


class Relaxation(_Part, frozen=True):
    """From `after_seconds` of waiting on, one thing is asked less strictly; exactly one of the three: `drop` a skill from the
    needs; ask for `skill` at `level` only (least level, never more than before); let the agents of `group` take the call
    too, whatever their skills."""

    after_seconds: SomeSeconds
    drop: Name | None = None
    skill: Name | None = None
    level: Level | None = None
    group: Name | None = None


class Member(_Part, frozen=True):
    """An agent's place in a queue: agents of a lower `order` are asked first, and none before the call has waited
    `delay_seconds`."""

    extension: Extension
    order: Annotated[int, Meta(ge=1, le=1000)] = 1
    delay_seconds: Seconds = 0


class Members(_Part, frozen=True):
    """Who serves the queue if they meet its needs. Empty: everybody who meets them. An agent named has their own order and
    delay, one in a group order 1 and none."""

    groups: tuple[Name, ...] = ()
    agents: tuple[Member, ...] = ()


class WaysOut(_Part, frozen=True):
    """Where a call goes that leaves the queue unanswered; None: by the exit of the flow's queue node."""

    timeout: Destination | None = None
    full: Destination | None = None
    no_agent: Destination | None = None
    all_paused: Destination | None = None
    after_hours: Destination | None = None
    overflow: Destination | None = None
    keys: dict[Key, Destination] = {}
    """What the caller may press while waiting."""


class Consequence(_Part, frozen=True):
    """What an offer that failed means for the agent. They get no call for `delay_seconds`; after `after_times` of these in a
    row, they are paused with `reason` (`then` = pause), or rest once more and start counting anew (wait); `nothing`: neither
    rest nor pause, but for a second."""

    then: Literal["pause", "wait", "nothing"] = "pause"
    reason: Annotated[str, Meta(max_length=60)] = ""
    """Empty: the name of the failure."""
    after_times: Annotated[int, Meta(ge=1, le=100)] = 1
    delay_seconds: Annotated[int, Meta(ge=0, le=3600)] = 0


class OfferRules(_Part, frozen=True):
    no_answer: Consequence = Consequence()
    busy: Consequence = Consequence()
    rejected: Consequence = Consequence()
    unreachable: Consequence = Consequence()


class WrapUp(_Part, frozen=True):
    """The work after a call: `fixed` for so many seconds, `chosen` for as long only where the agent asked for it in the talk,
    `endless` till the agent ends it."""

    mode: Literal["fixed", "chosen", "endless"] = "fixed"
    seconds: Annotated[int, Meta(ge=0, le=3600)] = 5


class Comfort(_Part, frozen=True):
    """Prompts (names of the catalogue) said in turn, every so many seconds."""

    prompts: tuple[Name, ...] = ()
    every_seconds: Annotated[int, Meta(ge=5, le=3600)] = 30


class PositionRules(_Part, frozen=True):
    """How the place in the queue is told. `every_seconds` None: the queue's `announce_seconds`. `up_to`: places beyond it are
    not told as such (0: all are)."""

    say: bool = True
    every_seconds: Annotated[int, Meta(ge=5, le=3600)] | None = None
    only_falling: bool = False
    least_gap_seconds: Annotated[int, Meta(ge=0, le=3600)] = 15
    up_to: Annotated[int, Meta(ge=0, le=1000)] = 0


class ExpectedWait(_Part, frozen=True):
    """Whether the expected wait is told, as a range, and the largest measured error (0.5: half of the wait) at which it
    still is."""

    say: bool = False
    largest_error: Annotated[float, Meta(gt=0, le=5)] = 0.5


class CallbackRules(_Part, frozen=True):
    """A call back is offered after so many seconds (None: never by itself) or by `key` (None: none); tried `attempts` times,
    `gap_seconds` apart, while `calendar` (None: always) is open."""

    offer_after_seconds: SomeSeconds | None = 60
    key: Key | None = None
    attempts: Annotated[int, Meta(ge=1, le=20)] = 3
    gap_seconds: Annotated[int, Meta(ge=10, le=DAY)] = 600
    calendar: Name | None = None
    confirmed: bool = True
    """Who is called back is told who calls and presses 1 to be put through, so that no agent talks to an answering machine."""


class QueueSettings(_Part, frozen=True):
    """A queue's rules beyond its columns; CONTRACT's and DESIGN's terms. Seconds count from the beginning of the wait."""

    responsible_first_seconds: Seconds = 0
    """How long a call waits for its customer's responsible agent alone; 0: it does not."""
    last_agent_first_seconds: Seconds = 0
    """The same for the agent the customer talked with last; asked after the responsible one."""
    vip_boost: Annotated[int, Meta(ge=0, le=1000)] = 0
    """Points of priority a VIP's call has beyond the queue's own."""
    problem_agents: tuple[Extension, ...] = ()
    """Who alone takes problem customers, as long as one of them is logged in."""
    reentry_minutes: Annotated[int, Meta(ge=0, le=1440)] = 0
    """Within this time a call that comes into the queue again has its old place; 0: never."""
    redial_keeps_place: bool = True
    """Whether a caller who was cut off, or hung up, and dials again within that time counts as the same."""
    relaxations: tuple[Relaxation, ...] = ()
    members: Members = Members()
    ways_out: WaysOut = WaysOut()
    nobody_grace_seconds: Seconds = 10
    """How long calls stay after the last agent who could take them has logged out."""
    all_paused_seconds: SomeSeconds | None = None
    """How long calls stay while all agents who could take them are paused; None: for ever."""
    most_expected_wait_seconds: SomeSeconds | None = None
    """A call that would wait longer than this by measured data goes elsewhere at once."""
    calendar: Name | None = None
    """While it is closed nobody waits."""
    escalate_seconds: Annotated[int, Meta(ge=1, le=3600)] = 20
    """Strategy `cheapest`: how long a call waits at each rate before agents of the next one are asked too."""
    offers: OfferRules = OfferRules()
    wrap_up: WrapUp | None = None
    """None: the agent's own."""
    whisper: tuple[Name, ...] = ()
    """What the agent hears before the caller does: prompts, or words with {queue}, {category}, {waited}."""
    announce_caller: bool = False
    """Whether the agent is told who calls before the two are joined."""
    music: Name | None = None
    comfort: Comfort = Comfort()
    position: PositionRules = PositionRules()
    expected_wait: ExpectedWait = ExpectedWait()
    callback: CallbackRules | None = None


class Forwarding(_Part, frozen=True):
    """Where a call to this extension goes after so many seconds of ringing; 0: at once."""

    after_seconds: Annotated[int, Meta(ge=0, le=300)]
    to: Destination


class AgentSettings(_Part, frozen=True):
    """An agent's rules beyond their columns."""

    auto_answer: bool = False
    cost_per_minute: Annotated[float, Meta(ge=0, le=100_000)] = 0.0
    wrap_up: Literal["fixed", "chosen", "endless"] = "fixed"
    """The seconds stand in the agent's `wrap_up_seconds`."""
    forwarding: tuple[Forwarding, ...] = ()
    recorded: bool | None = None
    """None: as the queue says."""


T = TypeVar("T", QueueSettings, AgentSettings)
Needs = dict[str, Need]
"""Skill -> level, as numbers, customers and languages bring them."""


def decode_queue(value: object) -> QueueSettings:
    """A document's settings. RulesInvalid."""
    settings = _convert(value, QueueSettings)
    _check_queue(settings)
    return settings


def decode_agent(value: object) -> AgentSettings:
    """A document's settings. RulesInvalid."""
    settings = _convert(value, AgentSettings)
    for number, forwarding in enumerate(settings.forwarding):
        _check_destination(forwarding.to, f"forwarding.{number}.to")
    return settings


def decode_needs(value: object) -> Needs:
    """`{"danish": {"level": 3, "exact": false}}`, or just `{"danish": 3}`. RulesInvalid."""
    if not isinstance(value, Mapping):
        raise RulesInvalid("", "needs are an object, skill -> level")
    whole = {str(skill): {"level": need} if isinstance(need, int) else need for skill, need in value.items()}
    try:
        return msgspec.convert(whole, Needs)
    except msgspec.ValidationError as error:
        raise _invalid(error) from error


def encode(settings: QueueSettings | AgentSettings) -> dict[str, Any]:
    """The JSON object that stores these; decoding gives the same back."""
    document: dict[str, Any] = msgspec.to_builtins(settings)
    return document


def _convert(value: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _invalid(error) from error


_PLACE = re.compile(r"^(.*?)(?: - at `\$?\.?(.*)`)?$", re.DOTALL)
_WORDS: Final = (
    (re.compile(r"Expected `int` >= (-?\d+)"), r"must be \1 or more"),
    (re.compile(r"Expected `int` <= (-?\d+)"), r"must be \1 or less"),
    (re.compile(r"Expected `float` <= ([\d.]+)"), r"must be \1 or less"),
    (re.compile(r"Expected `float` > ([\d.]+)"), r"must be more than \1"),
    (re.compile(r"Expected `float` >= ([\d.]+)"), r"must be \1 or more"),
    (re.compile(r"Expected `str` of length >= 1"), "must not be empty"),
    (re.compile(r"Expected `str` of length <= (\d+)"), r"has more than \1 characters"),
    (re.compile(r"Expected `str` matching regex '\^\[0-9\]\{2,6\}\$'"), "must be an extension of 2 to 6 digits"),
    (re.compile(r"Expected `str` matching regex '\^\[0-9\*#\]\$'"), "must be one key: 0 to 9, * or #"),
    (re.compile(r"Object contains unknown field `(.*)`"), r"there is no setting `\1`"),
    (re.compile(r"Object missing required field `(.*)`"), r"`\1` is missing"),
    (re.compile(r"Expected `int(?: \| null)?`, got .*"), "must be a whole number"),
    (re.compile(r"Expected `float(?: \| null)?`, got .*"), "must be a number"),
    (re.compile(r"Expected `bool(?: \| null)?`, got .*"), "must be true or false"),
    (re.compile(r"Expected `str(?: \| null)?`, got .*"), "must be a text"),
    (re.compile(r"Expected `array`, got .*"), "must be a list"),
    (re.compile(r"Expected `object(?: \| null)?`, got .*"), "must be an object"),
    (re.compile(r"Invalid enum value '(.*)'"), r"cannot be `\1`"),
)


def _invalid(error: msgspec.ValidationError) -> RulesInvalid:
    found = _PLACE.match(str(error))
    fault, place = (found[1], found[2] or "") if found else (str(error), "")
    for pattern, words in _WORDS:
        fault, changed = pattern.subn(words, fault)
        if changed:
            break
    place = re.sub(r"\[(\d+)\]", r".\1", place.replace("key` in `$.", "")).replace("[...]", "")
    return RulesInvalid(place.strip("."), fault)


def _check_queue(settings: QueueSettings) -> None:
    if len(settings.relaxations) > MOST_RELAXATIONS:
        raise RulesInvalid("relaxations", f"{len(settings.relaxations)} are too many; {MOST_RELAXATIONS} is the most")
    for number, step in enumerate(settings.relaxations):
        chosen = [step.drop is not None, step.skill is not None, step.group is not None]
        if sum(chosen) != 1:
            raise RulesInvalid(f"relaxations.{number}", "give exactly one of `drop`, `skill` with `level`, and `group`")
        if (step.skill is None) != (step.level is None):
            raise RulesInvalid(f"relaxations.{number}", "`skill` and `level` belong together")
    seen: set[str] = set()
    for number, member in enumerate(settings.members.agents):
        if member.extension in seen:
            raise RulesInvalid(f"members.agents.{number}", f"extension {member.extension} stands twice")
        seen.add(member.extension)
    for name in ("timeout", "full", "no_agent", "all_paused", "after_hours", "overflow"):
        way = getattr(settings.ways_out, name)
        if way is not None:
            _check_destination(way, f"ways_out.{name}")
    for key, way in settings.ways_out.keys.items():
        _check_destination(way, f"ways_out.keys.{key}")
    callback = settings.callback
    if callback is not None and callback.key is not None and callback.key in settings.ways_out.keys:
        raise RulesInvalid("callback.key", f"key {callback.key} is a way out already")


def _check_destination(value: object, field: str) -> None:
    try:
        destinations.decode(value)
    except DestinationInvalid as error:
        raise RulesInvalid(field, str(error)) from error
