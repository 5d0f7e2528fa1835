"""Makes the calls that are asked for on pages (see engine.live.trials), whichever process is quickest."""

from __future__ import annotations

import json
import re
from typing import Final

import gevent
import msgspec
import structlog

from engine.call.switches import Switches
from engine.esl.control import Control
from engine.esl.errors import CommandRejected, EslError, OriginateFailed
from engine.live import keys
from engine.live.list_reader import ListReader
from engine.live.outbox import Outbox
from engine.live.trials import LASTS_SECONDS, Trial

RING_SECONDS: Final = 30
API_SECONDS: Final = 5.0
PHONES: Final = "phones"
"""The dialplan's context of desk phones."""

_NUMBER = re.compile(r"\+?[0-9*#]{1,40}")

log = structlog.get_logger(__name__)


class Trials:
    """Waits for trials and makes them."""

    def __init__(self, redis_url: str, *, switches: Switches, outbox: Outbox) -> None:
        self._switches = switches
        self._outbox = outbox
        self._reader = ListReader(redis_url, keys.TRIALS, self._begin, at_once=1)

    def start(self) -> None:
        self._reader.start()

    def stop(self) -> None:
        self._reader.stop()

    def _begin(self, text: str) -> None:
        gevent.spawn(self._make, msgspec.json.decode(text, type=Trial))

    def _make(self, trial: Trial) -> None:
        _, control = next(iter(self._switches))
        try:
            self._tell(msgspec.structs.replace(trial, state="ringing"))
            if trial.extension:
                self._ring(control, trial)
            else:
                control.api(f"virtual_call {_plan(trial)}", API_SECONDS)
        except OriginateFailed as error:
            self._fail(trial, f"phone {trial.extension} was not answered ({error})")
        except CommandRejected as error:
            said = error.reply.removeprefix("-ERR").strip()
            self._fail(trial, said or "the switch refused the call")
        except EslError as error:
            self._fail(trial, f"the switch cannot make the call now ({error})")

    @staticmethod
    def _ring(control: Control, trial: Trial) -> None:
        if not (_NUMBER.fullmatch(trial.number) and _NUMBER.fullmatch(trial.extension)):
            raise CommandRejected("-ERR this is no number that can be called")
        shown = {
            "origination_caller_id_number": trial.extension,
            "origination_caller_id_name": "Call it",
            # Once put through the leg is the caller, and FreeSWITCH takes for its number what was called.
            "origination_callee_id_number": trial.extension,
            "origination_callee_id_name": trial.extension,
            "originate_timeout": str(RING_SECONDS),
        }
        control.originate(
            trial.call_id,
            f"user/{trial.extension}",
            shown,
            f"&transfer({trial.number} XML {PHONES})",
            timeout=RING_SECONDS + 10,
        )

    def _fail(self, trial: Trial, why: str) -> None:
        log.warning("trial failed", call=trial.call_id, number=trial.number, why=why)
        self._tell(msgspec.structs.replace(trial, state="failed", why=why))

    def _tell(self, trial: Trial) -> None:
        self._outbox.put("SET", keys.trial(trial.call_id), msgspec.json.encode(trial).decode(), "EX", LASTS_SECONDS)


def _plan(trial: Trial) -> str:
    """What engine.virtual.callers.CallPlan reads."""
    return json.dumps(
        {
            "number": trial.number,
            "from": trial.caller,
            "press": trial.press,
            "hang_up_after": trial.hang_up_after,
            "uuid": trial.call_id,
        }
    )
