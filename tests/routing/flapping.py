"""Agents who flap between ready and pause, leaders that are killed, a Redis that stalls: `python -m tests.routing.flapping`.

Leaders are processes of their own on a real Redis. The test stands for everybody else: it is the agents, the owner of all
calls, and the phones, which are picked up at once. It knows who talks and who has logged out, and so sees a double offer.
"""

from __future__ import annotations

from gevent import monkey

if __name__ == "__main__":
    monkey.patch_all()

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import gevent
import msgspec
from gevent.pool import Group

from conf.children import Child
from conf.embedded import Redis
from engine.live import keys
from engine.live.wire import Wire
from engine.routing import day_log
from engine.routing.events import (
    CloseOffer,
    EntryAdded,
    EntryLeft,
    Event,
    MakeOffer,
    OfferAnswered,
    OfferFailed,
    PlaceEntry,
    PresenceWanted,
    ReleaseEntry,
    TalkEnded,
    encode,
)
from engine.routing.leader import SETTLE_SECONDS
from engine.routing.replay import replay

OWNER = "owner"
_decode = msgspec.json.Decoder(MakeOffer | CloseOffer | PlaceEntry | ReleaseEntry).decode


@dataclass(frozen=True)
class Plan:
    agents: int = 500
    flaps: float = 5.0
    """Times a second that each agent's presence changes; every tenth agent does not flap, and every twentieth logs out."""
    calls: float = 40.0
    talk_seconds: float = 1.0
    calm_seconds: float = 10.0
    seconds: float = 40.0
    kill_every: float = 10.0
    stall_at: float | None = 15.0
    stall_seconds: float = 2.0
    seed: int = 1


@dataclass
class Seen:
    """What the owner of the calls noticed."""

    offers: int = 0
    doubles: list[str] = field(default_factory=list)
    to_logged_out: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """Calls that were never offered."""
    calm: list[float] = field(default_factory=list)
    flapping: list[float] = field(default_factory=list)
    """Seconds from a call's coming to its offer, where a leader was there and Redis answered."""
    all_of_them: list[float] = field(default_factory=list)
    tenures: int = 0
    differences: int = 0


class Flapping:
    def __init__(self, redis_url: str, folder: Path, plan: Plan) -> None:
        self._url, self._folder, self._plan = redis_url, folder, plan
        self._chance = random.Random(plan.seed)
        self._hear = Wire(redis_url, timeout=10)
        self._leaders: dict[str, subprocess.Popen[bytes]] = {}
        self._born = 0
        self._talking: dict[int, str] = {}
        """Agent -> offer, of those who are offered a call or talk."""
        self._came: dict[str, tuple[float, str]] = {}
        self._gone: dict[int, float] = {}
        """Agents who have logged out -> when Redis showed it."""
        self._troubled_till = 0.0
        self._phase = "calm"
        self._talks = Group()
        self._spare: list[Wire] = []
        self.seen = Seen()

    def run(self) -> Seen:
        plan = self._plan
        greenlets: list[gevent.Greenlet[..., None]] = []
        try:
            for _ in range(2):
                self._start_leader()
            self._tell(*(self._wants(agent, "ready") for agent in range(1, plan.agents + 1)))
            self._wait_for(lambda: self._shown(plan.agents) == "ready")
            # A Redis that has just begun is not believed at once.
            gevent.sleep(SETTLE_SECONDS)
            greenlets = [gevent.spawn(self._listen), gevent.spawn(self._call)]
            gevent.sleep(plan.calm_seconds)
            self._phase = "flapping"
            greenlets += [gevent.spawn(self._flap), gevent.spawn(self._kill), gevent.spawn(self._stall)]
            gevent.sleep(plan.seconds)
            gevent.killall(greenlets[1:])
            self._tell(*(self._wants(agent, "ready") for agent in range(1, plan.agents + 1) if agent not in self._gone))
            self._wait_for(lambda: not self._came, fails=False)
            self.seen.lost = sorted(self._came)
        finally:
            gevent.killall(greenlets)
            self._talks.kill()
            for process in self._leaders.values():
                process.kill()
                process.wait()
        for day in (self._folder / "routing").iterdir():
            for path in day.glob(f"*{day_log.SUFFIX}"):
                self.seen.tenures += 1
                self.seen.differences += replay(path).difference is not None
        return self.seen

    # --- leaders ---

    def _start_leader(self) -> None:
        self._born += 1
        name = f"leader-{self._born}"
        self._leaders[name] = subprocess.Popen(
            [sys.executable, "-m", "tests.routing.leading", name, self._url, self._folder, str(self._plan.agents)],
            stdout=(self._folder / f"{name}.log").open("wb"),
            stderr=subprocess.STDOUT,
        )

    def _kill(self) -> None:
        while True:
            gevent.sleep(self._plan.kill_every)
            leader = self._ask("GET", keys.ROUTER_LEASE)
            process = self._leaders.pop(leader or "", None)
            if process is not None:
                process.send_signal(signal.SIGKILL)
                process.wait()
                self._troubled_till = time.time() + 4.0
                self._start_leader()

    def _stall(self) -> None:
        plan = self._plan
        if plan.stall_at is not None:
            gevent.sleep(plan.stall_at)
            self._troubled_till = time.time() + plan.stall_seconds + 4.0
            self._ask("CLIENT", "PAUSE", int(plan.stall_seconds * 1000), "ALL")

    # --- agents and callers ---

    def _flap(self) -> None:
        plan = self._plan
        agents = [agent for agent in range(1, plan.agents + 1) if agent % 10]
        leaving = [agent for agent in range(1, plan.agents + 1) if agent % 20 == 10]
        ready = dict.fromkeys(agents, True)
        every, due = 0.02, time.time()
        while True:
            some = self._chance.sample(agents, max(1, round(len(agents) * plan.flaps * every)))
            for agent in some:
                ready[agent] = not ready[agent]
            self._tell(*(self._wants(agent, "ready" if ready[agent] else "pause") for agent in some))
            if leaving and self._chance.random() < 0.05:
                self._log_out(leaving.pop())
            due += every
            gevent.sleep(max(0.0, due - time.time()))

    def _log_out(self, agent: int) -> None:
        self._tell(self._wants(agent, "offline"))
        # Whoever talks is logged out when the talk is over; only then nothing may come any more.
        gevent.spawn(self._note_gone, agent)

    def _note_gone(self, agent: int) -> None:
        wire = Wire(self._url, timeout=10)
        while wire.ask("HGET", keys.agent(agent), "presence") != "offline":
            gevent.sleep(0.05)
        self._gone[agent] = time.time()
        wire.close()

    def _call(self) -> None:
        number = 0
        while True:
            gevent.sleep(self._chance.expovariate(self._plan.calls))
            number += 1
            now, name = time.time(), f"e{number}"
            entry = EntryAdded(at=now, entry_id=name, call_id=name, queue="all", owner=OWNER, entered_at=now)
            self._came[name] = (time.perf_counter(), self._phase if now > self._troubled_till else "troubled")
            self._ask("HSET", keys.WAITING, name, encode(entry))
            self._tell(entry)

    # --- the owner of all calls ---

    def _listen(self) -> None:
        while True:
            read = self._hear.ask("BLMPOP", 1, 1, keys.inbox(OWNER), "LEFT", "COUNT", 100)
            for text in read[1] if read else ():
                decision = _decode(text)
                if isinstance(decision, MakeOffer):
                    self._offered(decision)
                elif isinstance(decision, CloseOffer) and self._talking.get(decision.agent_id) == decision.offer_id:
                    del self._talking[decision.agent_id]

    def _offered(self, offer: MakeOffer) -> None:
        seen, now = self.seen, time.perf_counter()
        seen.offers += 1
        if offer.agent_id in self._talking:
            seen.doubles.append(f"agent {offer.agent_id}: {self._talking[offer.agent_id]} and {offer.offer_id}")
        gone = self._gone.get(offer.agent_id)
        if gone is not None and offer.at > gone:
            seen.to_logged_out.append(f"agent {offer.agent_id}: {offer.offer_id}")
        came = self._came.pop(offer.entry_id, None)
        if came is None:
            # It was offered before, and is in a talk or over.
            seen.doubles.append(f"call {offer.entry_id}: {offer.offer_id}")
            self._tell(OfferFailed(at=time.time(), offer_id=offer.offer_id, result="caller_left"))
            return
        seen.all_of_them.append(now - came[0])
        if time.time() > self._troubled_till and came[1] != "troubled":
            (seen.calm if came[1] == "calm" else seen.flapping).append(now - came[0])
        self._talking[offer.agent_id] = offer.offer_id
        self._ask("HDEL", keys.WAITING, offer.entry_id)
        self._tell(
            OfferAnswered(
                at=time.time(),
                offer_id=offer.offer_id,
                entry_id=offer.entry_id,
                call_id=offer.call_id,
                queue=offer.queue,
                agent_id=offer.agent_id,
            )
        )
        self._talks.add(talk := gevent.Greenlet(self._hang_up, offer))
        talk.start_later(self._chance.expovariate(1 / self._plan.talk_seconds))

    def _hang_up(self, offer: MakeOffer) -> None:
        if self._talking.get(offer.agent_id) == offer.offer_id:
            del self._talking[offer.agent_id]
            self._tell(
                TalkEnded(at=time.time(), offer_id=offer.offer_id, agent_id=offer.agent_id),
                EntryLeft(at=time.time(), entry_id=offer.entry_id),
            )

    # --- Redis ---

    def _wants(self, agent: int, presence: str) -> PresenceWanted:
        return PresenceWanted(at=time.time(), agent_id=agent, presence=presence)  # type: ignore[arg-type]

    def _tell(self, *events: Event) -> None:
        said = [
            ("XADD", keys.ROUTER_EVENTS, "MAXLEN", "~", keys.ROUTER_EVENTS_KEPT, "*", "data", encode(event))
            for event in events
        ]
        for begin in range(0, len(said), 500):
            self._one_by_one(said[begin : begin + 500])

    def _ask(self, *command: object) -> str | None:
        answer: str | None = self._one_by_one([command])[0]
        return answer

    def _one_by_one(self, commands: list[tuple[object, ...]]) -> list[str | None]:
        wire = Wire(self._url, timeout=10) if not self._spare else self._spare.pop()
        answers: list[str | None] = wire.ask_all(commands)
        self._spare.append(wire)
        return answers

    def _shown(self, agent: int) -> str | None:
        return self._ask("HGET", keys.agent(agent), "presence")

    def _wait_for(self, what: object, seconds: float = 30.0, *, fails: bool = True) -> None:
        until = time.monotonic() + seconds
        while not what():  # type: ignore[operator]
            if time.monotonic() > until:
                assert not fails, "waited in vain"
                return
            gevent.sleep(0.05)


@contextmanager
def redis_of_its_own() -> Iterator[tuple[str, Path]]:
    home = Path(tempfile.mkdtemp(prefix="pointsman-flap-"))
    redis = Redis(home)
    redis.prepare()
    child = Child(redis.spec, home / "redis.log")
    try:
        redis.wait_ready(child)
        yield redis.url, home
    finally:
        child.stop()


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.routing.flapping", description=__doc__)
    for name, value in (("agents", 500), ("flaps", 5.0), ("calls", 40.0), ("seconds", 40.0), ("calm", 10.0)):
        parser.add_argument(f"--{name}", type=type(value), default=value)
    asked = parser.parse_args()
    plan = Plan(asked.agents, asked.flaps, asked.calls, calm_seconds=asked.calm, seconds=asked.seconds)
    with redis_of_its_own() as (url, home):
        seen = Flapping(url, home, plan).run()
    print(f"{seen.offers:,} offers, {seen.tenures} tenures, {seen.differences} of them decided otherwise again")
    print(f"double {len(seen.doubles)}, to one logged out {len(seen.to_logged_out)}, never offered {len(seen.lost)}")
    for name in ("calm", "flapping", "all_of_them"):
        values = getattr(seen, name)
        p50, p99 = percentile(values, 0.5) * 1000, percentile(values, 0.99) * 1000
        print(f"{name:12} {len(values):6,} calls, p50 {p50:8.2f} ms, p99 {p99:8.2f} ms")
    for line in (*seen.doubles[:5], *seen.to_logged_out[:5], *seen.lost[:5]):
        print(" ", line)


if __name__ == "__main__":
    main()
