"""Background jobs of one link: what FreeSWITCH does meanwhile, and who is told what came of it.

No greenlet waits for a job. Its end, the refusal of the command that began it, the end of the link and the time-out all come
to one call of `done`, in gevent's loop, so `done` must not block.
"""

from __future__ import annotations

import uuid as uuids
from collections.abc import Callable

import gevent
import structlog

from engine.esl.errors import CommandRejected, ControlLost, EslError, FrameBroken, ReplyTimeout
from engine.esl.frames import Frame

log = structlog.get_logger(__name__)

Done = Callable[[str | EslError], None]
"""Told what the job said, or why it says nothing: CommandRejected, ControlLost, ReplyTimeout."""


class Job:
    """One job that is awaited. `uuid` is its Job-UUID. Waits for the reply to its own command too (see link.Answerable)."""

    __slots__ = ("_done", "_jobs", "_timer", "uuid")

    def __init__(self, jobs: Jobs, uuid: str, done: Done, seconds: float) -> None:
        self.uuid = uuid
        self._jobs = jobs
        self._done = done
        self._timer = gevent.get_hub().loop.timer(seconds)
        self._timer.start(self._late, seconds)

    def answered(self, frame: Frame) -> None:
        if frame.refused:
            self.end(CommandRejected(frame.data))
        elif frame.get("Job-UUID", self.uuid) != self.uuid:
            raise FrameBroken("a reply came out of its turn: it names another job")

    def lost(self, error: EslError) -> None:
        self.end(ControlLost(str(error)))

    def _late(self, seconds: float) -> None:
        self.end(ReplyTimeout(f"the job did not end within {seconds:g} s"))

    def forget(self) -> bool:
        """Wait no more; whether it was waited for until now."""
        if self._jobs.waiting.pop(self.uuid, None) is None:
            return False
        self._timer.stop()
        self._timer.close()
        return True

    def end(self, outcome: str | EslError) -> None:
        """Say what came of it, unless that was said."""
        if self.forget():
            try:
                self._done(outcome)
            except Exception:  # one listener's fault must not end the reading
                log.exception("job_listener_failed", job=self.uuid)


class Jobs:
    """The jobs of one link. Their Job-UUIDs are told apart by a number from each other, and by what is before it from those
    of every other process: FreeSWITCH tells all listeners of each."""

    __slots__ = ("_begun", "_series", "waiting")

    def __init__(self) -> None:
        self.waiting: dict[str, Job] = {}
        self._series = str(uuids.uuid4())[:24]
        self._begun = 0

    def name(self) -> str:
        """A Job-UUID that was not used before. FreeSWITCH takes any text of at most 36 bytes
        for one (mod_event_socket.c:2375)."""
        self._begun += 1
        return f"{self._series}{self._begun:012x}"

    def await_job(self, done: Done, seconds: float) -> Job:
        """A job with a new name, for which is waited from now on."""
        job = Job(self, self.name(), done, seconds)
        self.waiting[job.uuid] = job
        return job

    def lose(self, error: EslError) -> None:
        """The link has ended, and nothing will be told any more."""
        for job in tuple(self.waiting.values()):
            job.lost(error)
