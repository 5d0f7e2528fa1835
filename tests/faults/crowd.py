"""A few callers, each at another place, and the rest of their calls once something has been broken under them."""

from __future__ import annotations

from call.callers import Caller
from call.report import Report

from tests.waiting import eventually

from .damaged import AGENTS, BOX, NUMBERS, Damaged


class Crowd:
    """Callers in the menu, in a queue (two of them), at a ringing phone, in a talk, and leaving a message."""

    def __init__(self, damaged: Damaged) -> None:
        self._damaged = damaged
        self._chosen = False
        for extension in AGENTS.values():
            damaged.switch.phone(extension, answer=1, talk=5)
        damaged.on_duty(AGENTS["red"], AGENTS["green"])
        damaged.switch.phone(AGENTS["red"], answer=1, talk=None)
        damaged.switch.phone(AGENTS["green"], ring=True)
        self.talk = damaged.switch.call(NUMBERS["red"])
        self.ringing = damaged.switch.call(NUMBERS["green"])
        self.first = damaged.switch.call(NUMBERS["blue"])
        self.first.wait_for("music")
        self.second = damaged.switch.call(NUMBERS["blue"])
        self.message = damaged.switch.call(BOX, speaks=600)
        self.menu = damaged.switch.call("5000", speaks=600)
        self.talk.wait_for("talks")
        self.second.wait_for("music")
        self.message.wait_for("recording")
        self.menu.hear("menu_main")
        damaged.see(AGENTS["green"], work="offered", call_id=self.ringing.call_id)
        eventually(lambda: self._leg_of(self.ringing))

    @property
    def callers(self) -> list[Caller]:
        return [self.menu, self.first, self.second, self.ringing, self.talk, self.message]

    def nobody_noticed(self) -> None:
        """Nobody was cut off. A message that outlives its engine is complete, and that caller is bid goodbye."""
        messages = {self.message} | ({self.menu} if self._chosen else set())
        for caller in self.callers:
            if caller.over:
                assert caller in messages, caller.story
                assert "voicemail_saved" in caller.prompts, caller.story

    def choose(self) -> None:
        """The caller in the menu wants to leave a message, and begins to."""
        self._chosen = True
        self.menu.press("9")
        self.menu.wait_for("recording")

    def go_home(self) -> None:
        for caller in self.callers:
            if not caller.over:
                caller.hang_up()

    def now(self) -> dict[Caller, float]:
        """How old each call is."""
        return {caller: caller.now for caller in self.callers}

    def finish(self) -> list[Report]:
        """Each call goes on to a good end, and is written down as if nothing had happened."""
        damaged = self._damaged
        self.nobody_noticed()
        if not self._chosen:
            self.choose()
        damaged.choose(AGENTS["blue"], "ready")
        began = []
        for caller in (self.first, self.second):
            began.append(caller.wait_for("talks", to=AGENTS["blue"]))
            caller.wait_for("left")
            caller.wait_for("ended")
        damaged.switch.api(f"uuid_answer {eventually(lambda: self._leg_of(self.ringing))}")
        self.ringing.wait_for("talks", to=AGENTS["green"])
        damaged.see(AGENTS["green"], work="talking", call_id=self.ringing.call_id)
        self.ringing.hang_up()
        self.talk.hang_up()
        for caller in (self.menu, self.message):
            if not caller.over:
                caller.hang_up()
        for caller, status in (
            (self.menu, "voicemail"),
            (self.message, "voicemail"),
            (self.first, "answered"),
            (self.second, "answered"),
            (self.ringing, "answered"),
            (self.talk, "answered"),
        ):
            report = damaged.report(caller)
            assert report.call["status"] == status, (status, report)
        reports = damaged.every_call_has_one_row(self.callers)
        for report in reports[1:5]:
            (entry,) = report.entries
            assert entry["result"] == "answered", report
            (recording,) = report.recordings
            assert float(recording["seconds"]) > 0
        assert reports[1].offered == reports[2].offered == [(AGENTS["blue"], "answered")]
        assert reports[1].offers[0]["ended_at"] < reports[2].offers[0]["offered_at"], "in the order of their coming"
        assert len(reports[5].messages) == 1
        assert damaged.offers_overlap() == []
        damaged.calm()
        return reports

    def _leg_of(self, caller: Caller) -> str:
        """The leg to the phone that rings for the call."""
        offer = str(self._damaged.kept_of(caller)["offer_id"])
        assert offer in {channel["uuid"] for channel in self._damaged.switch.channels()}
        return offer
