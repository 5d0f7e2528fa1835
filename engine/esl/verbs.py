"""greenswitch's blocking verbs, on waits that end.

A handler reads as a straight line with them: each returns when the application is over and raises CallGone as soon as the
caller has gone. All take `response_timeout` seconds, at most LONGEST_SECONDS.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, cast

from gevent.event import AsyncResult

from engine.esl import commands
from engine.esl.awaited import Relayed
from engine.esl.errors import UnsafeText
from engine.esl.frames import Event, Frame

if TYPE_CHECKING:
    from engine.esl.awaited import Execution
    from engine.esl.outbound import CallLink

LONGEST_SECONDS: Final = 24 * 3600.0
"""What stands for `no time-out`, which no wait here has."""

SILENCE: Final = "silence_stream://250"

P = ParamSpec("P")
T = TypeVar("T")


def _word(value: object, what: str) -> str:
    """One blank-parted word of an application's arguments."""
    text = commands.clean(str(value))
    if not text or text.split() != [text]:
        raise UnsafeText(f"{what} must be one word, not {text[:80]!r}")
    return text


class Verbs:
    """Mixed into CallLink, which has `execute`, `api` and `raise_if_disconnected`."""

    __slots__ = ()

    if TYPE_CHECKING:
        uuid: Any

        def execute(
            self,
            application: str,
            argument: str = "",
            *,
            lock: bool = False,
            loops: int = 1,
            expand: bool = False,
            then: Callable[[Execution], None] | None = None,
        ) -> Execution: ...

        def api(self, line: str, timeout: float = ...) -> str: ...

        def raise_if_disconnected(self) -> None: ...

        def send(self, data: str | bytes, timeout: float = ...) -> Frame: ...

    def run(self, application: str, argument: str = "", response_timeout: float | None = None) -> Event:
        """Execute an application and wait for its end; its CHANNEL_EXECUTE_COMPLETE."""
        timeout = LONGEST_SECONDS if response_timeout is None else response_timeout
        return self.execute(application, argument).wait(timeout)

    def answer(self, response_timeout: float | None = 30.0) -> Event:
        return self.run("answer", "", response_timeout)

    def park(self) -> None:
        self.execute("park")

    def playback(self, path: str, block: bool = True, response_timeout: float | None = None) -> Event | None:
        """Play a file. Blocking, the event's Application-Response says how it went: `FILE PLAYED` (also when it was broken
        off), `FILE NOT FOUND`, `PLAYBACK ERROR`."""
        if not block:
            self.execute("playback", path)
            return None
        return self.run("playback", path, response_timeout)

    def play_and_get_digits(
        self,
        min_digits: int = 1,
        max_digits: int = 1,
        max_attempts: int = 1,
        timeout: int = 5000,
        terminators: str = "#",
        prompt_file: str = SILENCE,
        error_file: str = SILENCE,
        variable: str = "digits",
        digits_regex: str = r"\d+",
        digit_timeout: int | None = None,
        transfer_on_fail: str | None = None,
        block: bool = True,
        response_timeout: float | None = 300.0,
    ) -> str | None:
        """Play a file and collect digits into `variable`; what was pressed, None where nothing valid was or without
        `block`. Time-outs are milliseconds, each argument is one word."""
        words = [
            _word(value, what)
            for what, value in (
                ("min_digits", int(min_digits)),
                ("max_digits", int(max_digits)),
                ("max_attempts", int(max_attempts)),
                ("timeout", int(timeout)),
                ("terminators", terminators),
                ("prompt_file", prompt_file),
                ("error_file", error_file),
                ("variable", variable),
                ("digits_regex", digits_regex),
            )
        ]
        if digit_timeout is not None or transfer_on_fail is not None:
            words.append(str(int(timeout if digit_timeout is None else digit_timeout)))
        if transfer_on_fail is not None:
            words.append(_word(transfer_on_fail, "transfer_on_fail"))
        if not block:
            self.execute("play_and_get_digits", " ".join(words))
            return None
        return self.run("play_and_get_digits", " ".join(words), response_timeout).get(f"variable_{variable}")

    def say(
        self,
        module_name: str = "en",
        lang: str | None = None,
        say_type: str = "NUMBER",
        say_method: str = "pronounced",
        gender: str = "FEMININE",
        text: str | None = None,
        block: bool = True,
        response_timeout: float | None = 60.0,
    ) -> Event | None:
        module = f"{module_name}:{lang}" if lang else module_name
        words = [_word(value, "say's argument") for value in (module, say_type, say_method, gender)]
        argument = " ".join((*words, commands.clean(text or "")))
        if not block:
            self.execute("say", argument)
            return None
        return self.run("say", argument, response_timeout)

    def bridge(self, args: str, block: bool = True, response_timeout: float | None = None) -> Event | None:
        """Bridge to an endpoint; blocking, until the talk is over. A bridge that fails hangs the call up unless the channel
        has hangup_after_bridge and continue_on_fail set to go on."""
        if not block:
            self.execute("bridge", args)
            return None
        return self.run("bridge", args, response_timeout)

    def uuid_break(self) -> None:
        """Stop what is being played."""
        self.raise_if_disconnected()
        self.api(f"uuid_break {self.uuid}")

    def call_command(
        self, app_name: str, app_args: str | None = None, block: bool = False, response_timeout: float | None = None
    ) -> Frame | Event:
        """Run an application; its reply, or with `block` its CHANNEL_EXECUTE_COMPLETE."""
        if block:
            return self.run(app_name, app_args or "", response_timeout)
        self.raise_if_disconnected()
        return self.send(commands.execute(app_name, app_args or ""))

    def register_expected_event(
        self, expected_event: str, expected_variable: str, expected_value: str, async_response: AsyncResult[Event]
    ) -> None:
        """Have `async_response` set with the next such event that has the variable with that value, or with CallGone."""

        def matches(event: Event) -> bool:
            if event.get("variable_" + expected_variable) != expected_value:
                return False
            async_response.set(event)
            return True

        self.raise_if_disconnected()
        cast("CallLink", self).await_event(Relayed(cast("CallLink", self), expected_event, matches, async_response))

    def while_connected(self) -> WhileConnected:
        """A context manager, or decorator, that raises CallGone at its beginning and its end where the call has gone."""
        return WhileConnected(self.raise_if_disconnected)


class WhileConnected:
    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check

    def __enter__(self) -> WhileConnected:
        self._check()
        return self

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        self._check()

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> T:
            with self:
                return function(*args, **kwargs)

        return checked
