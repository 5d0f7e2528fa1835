"""Writing down the end of a call whose own process cannot do it any more: it died, or lost its link to the call."""

from __future__ import annotations

from datetime import datetime

from conf.clock import Clock
from engine.call import recovery
from engine.call.checkpoint import STATEMENT, Checkpoint
from engine.call.media import SHORTEST_MESSAGE_SECONDS, Media
from engine.live import keys
from engine.live.outbox import Outbox
from engine.records.facts import CallEnded, MessageLeft, PhaseBegan, QueueLeft, RecordingMade, StepLeft
from engine.records.journal import Journal
from engine.routing.events import Event, TalkEnded
from engine.routing.telling import forget_entry, tell_router
from ivr.visit import LOST


class Closing:
    """Closes records from checkpoints. What it writes yields to what the call's own process may yet turn out to have
    written."""

    def __init__(self, *, journal: Journal, outbox: Outbox, clock: Clock, media: Media) -> None:
        self._journal = journal
        self._outbox = outbox
        self._clock = clock
        self._media = media

    def close(self, checkpoint: Checkpoint) -> None:
        """The call is over, since its link broke where that is known, else since now."""
        lost = checkpoint.lost_at is not None
        at = checkpoint.lost_at or self._clock.now()
        self._keep_message(checkpoint)
        self._keep_recording(checkpoint, at)
        self._close_talk(checkpoint)
        self._close_step(checkpoint, at)
        self._close_entry(checkpoint, at, lost=lost)
        self._free_agent(checkpoint, at)
        self._journal.append(
            CallEnded(
                call_id=checkpoint.call_id,
                at=at,
                status=recovery.status_of(checkpoint),
                ended_by="system" if lost else checkpoint.ended_by or "caller",
                hangup_cause="NETWORK_OUT_OF_ORDER" if lost else "NONE",
                queue=checkpoint.last_queue,
                agent_id=checkpoint.agent_id,
                extension=checkpoint.extension,
                flow=checkpoint.flow,
                flow_version=checkpoint.flow_version,
                final=False,
            )
        )
        self._outbox.put("HDEL", keys.CALLS, checkpoint.call_id)
        self._outbox.put("PUBLISH", keys.LIVE, f'{{"kind":"call","id":"{checkpoint.call_id}","item":null}}')

    def close_unknown(self, call_id: str) -> None:
        """Nothing is known of the call but that it began."""
        self._journal.append(
            CallEnded(
                call_id=call_id,
                at=self._clock.now(),
                status="network",
                ended_by="system",
                hangup_cause="NETWORK_OUT_OF_ORDER",
                final=False,
            )
        )

    def tell(self, event: Event) -> None:
        """Tell the router."""
        tell_router(self._outbox, event)

    def _close_talk(self, checkpoint: Checkpoint) -> None:
        """Its agent may have had other calls since."""
        if checkpoint.parted_at is not None:
            self._journal.append(PhaseBegan(call_id=checkpoint.call_id, at=checkpoint.parted_at, phase="ivr"))

    def _close_step(self, checkpoint: Checkpoint, at: datetime) -> None:
        entered_at = checkpoint.step_entered_at
        if entered_at is not None:
            self._journal.append(
                StepLeft(call_id=checkpoint.call_id, entered_at=entered_at, left_at=max(at, entered_at), exit=LOST)
            )

    def _close_entry(self, checkpoint: Checkpoint, at: datetime, *, lost: bool) -> None:
        if checkpoint.entry_id is not None:
            self._journal.append(
                QueueLeft(
                    entry_id=checkpoint.entry_id,
                    call_id=checkpoint.call_id,
                    at=at,
                    result="failed" if lost else "abandoned",
                )
            )
            forget_entry(self._outbox, checkpoint.entry_id, checkpoint.queue or "", at.timestamp())

    def _free_agent(self, checkpoint: Checkpoint, at: datetime) -> None:
        if checkpoint.state == "talk" and checkpoint.offer_id is not None and checkpoint.agent_id is not None:
            self.tell(TalkEnded(at=at.timestamp(), offer_id=checkpoint.offer_id, agent_id=checkpoint.agent_id))

    def _keep_recording(self, checkpoint: Checkpoint, at: datetime) -> None:
        recording = checkpoint.recording
        if recording is None:
            return
        seconds = self._media.seconds(recording.path, most=(at - recording.began).total_seconds())
        if seconds > 0:
            self._made(checkpoint, recording.recording_id, recording.path, recording.began, seconds)

    def _keep_message(self, checkpoint: Checkpoint) -> None:
        message = checkpoint.message
        if message is None:
            return
        seconds = self._media.seconds(message.path, most=(self._clock.now() - message.began).total_seconds())
        if seconds < SHORTEST_MESSAGE_SECONDS:
            return
        if message.box == STATEMENT:
            self._made(checkpoint, message.voicemail_id, message.path, message.began, seconds)
            return
        checkpoint.result = "voicemail"
        self._journal.append(
            MessageLeft(
                voicemail_id=message.voicemail_id,
                call_id=checkpoint.call_id,
                box=message.box,
                path=message.path,
                at=message.began,
                seconds=seconds,
                caller_number=checkpoint.from_number,
            )
        )

    def _made(self, checkpoint: Checkpoint, recording_id: str, path: str, began: datetime, seconds: float) -> None:
        self._journal.append(
            RecordingMade(
                recording_id=recording_id,
                call_id=checkpoint.call_id,
                path=path,
                started_at=began,
                seconds=seconds,
                queue=checkpoint.last_queue,
                agent_id=checkpoint.agent_id,
            )
        )
