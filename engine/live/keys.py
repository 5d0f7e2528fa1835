"""Every Redis key and channel of an installation, named once.

Redis holds coordination only: all of it can be rebuilt from Postgres and from the engine processes' own memory. Values are
JSON in UTF-8; times in them are ISO 8601 in UTC.
"""

from __future__ import annotations

from typing import Final

CALLS: Final = "calls"
"""Hash, call id -> checkpoint: the live calls, and all that another process needs to take one over."""

UNTAKEN: Final = "untaken"
"""Hash, call id -> engine.call.untaken.Gone: callers who left before any process had their call."""

WAITING: Final = "waiting"
"""Hash, entry id -> entry: who waits in a queue, as the router is told."""

OFFERS: Final = "offers"
"""Hash, offer id -> decision: the offers that stand, for the next tenure to find."""

AGENTS: Final = "agents"
"""Set of the ids of all agents."""

PHONES: Final = "phones"
"""Hash, extension -> address and port: the desk phones that are signed in, as the switch said last."""

ROUTER_EVENTS: Final = "router:events"
"""Stream, field `data`: all that the router is told, in the order in which it decides."""

ROUTER_CURSOR: Final = "router:cursor"
"""The id of the last router event whose consequences are written."""

ROUTER_LEASE: Final = "router:lease"
"""The id of the process that holds the router, with an expiry."""

ROUTER_EPOCH: Final = "router:epoch"
"""Number of the present tenure; only rises. What is written for an older one is refused."""

ROUTER_DAY: Final = "router:day"
"""The day that agents' calls and talk are counted for, as YYYY-MM-DD in the installation's time zone."""

ROUTER_WRITTEN: Final = "router:written"
"""The last batch of what was written for a tenure, for the next one to write down what its process died over."""

PLACES: Final = "places"
"""Hash, `<queue>|<caller>` -> [place, till when it is kept] in Unix seconds: who may come again and then has an old place."""

PACES: Final = "paces"
"""Hash, queue -> what is measured of it (engine.routing.expected.Pace)."""

CALLBACKS: Final = "callbacks"
"""Hash, callback id -> engine.live.callbacks.Callback: those that are owed."""

CALLBACK_NUMBERS: Final = "callbacks:numbers"
"""Hash, number -> id of the callback that it is owed: there is never more than one."""

CALLBACK_WISHES: Final = "callbacks:wishes"
"""Hash, callback id -> {"what", "by"}: what people ask, for its owner to find."""

LIVE: Final = "live"
"""Channel: {"kind": "call" | "agent" | "process" | "configuration" | "given", "id", "item"}; item null when it is over."""

CONFIGURATION: Final = "configuration"
"""Channel: the version just published, for engine processes, which do not listen to all that goes on on `live`."""

TRIALS: Final = "trials"
"""List: calls that were asked for on a page, for any engine process to make; expires."""

REQUESTS: Final = "requests"
"""List: what the admin asks of any engine process, taken by whichever comes first."""

MEMORY: Final = "memory"
"""Since when Redis remembers, in Unix seconds; put there by whoever misses it. Another value than before means that all the
rest is gone too, and is to be told again."""

PROCESSES: Final = "processes"
"""Hash, process id -> heartbeat JSON; who is alive is told by `process:<id>`, which expires."""

SCREENPOP_STREAM: Final = "events:screenpop"
SCREENPOP_KEPT: Final = 10_000
ROUTER_EVENTS_KEPT: Final = 200_000


def agent(agent_id: int) -> str:
    """Hash: agent_id, name, extension, presence, work, reason, since, idle_since, call_id, offer_id, queue, wrap_until (till
    when the work after a call lasts; empty in wrap_up: till the agent ends it), wanted, wanted_reason, rest_until,
    offered_at, calls and talk_seconds (of today), misses (JSON). Empty where there is none."""
    return f"agent:{agent_id}"


def queue(name: str) -> str:
    """Sorted set, entry id by rank: who is where in a queue. The rank is the time it counts as waiting since, less a head
    start for its priority, unless a supervisor has put it elsewhere."""
    return f"queue:{name}"


def given(entry_id: str) -> str:
    """The id of the agent to whom a supervisor has given a call that waits, for boards to show; expires. The router knows of
    it by itself."""
    return f"given:{entry_id}"


def process(process_id: str) -> str:
    return f"process:{process_id}"


def inbox(process_id: str) -> str:
    """List: decisions for the process that owns a call."""
    return f"inbox:{process_id}"


def reply(ask_id: str) -> str:
    """List with one item, for some seconds: the answer to what was asked of the router under this id."""
    return f"reply:{ask_id}"


def callback_closed(callback_id: str) -> str:
    """There for an hour after a callback was closed, for nobody to take it for owed who reads it in Postgres meanwhile."""
    return f"callback:closed:{callback_id}"


def screenpop(extension: str) -> str:
    return f"screenpop:{extension}"


def trial(call_id: str) -> str:
    """A call that was asked for on a page, see engine.live.trials; expires."""
    return f"trial:{call_id}"


def prompt_ticket(number: str) -> str:
    """The permission to record a prompt by telephone, see engine.live.prompt_recording; expires."""
    return f"prompt:recording:{number}"
