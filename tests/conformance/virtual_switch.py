"""The virtual switch of the conformance tests as a process: arguments are its control port, the controller's and a dead one."""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402

from gevent.event import Event  # noqa: E402

from engine.virtual.switch import Switch  # noqa: E402

from .plans import PASSWORD, numbers  # noqa: E402


def main(control: int, engine: int, nobody: int) -> None:
    switch = Switch(
        dialplan=[("hangup", "NO_ROUTE_DESTINATION")],
        numbers=numbers(engine, nobody),
        control=("127.0.0.1", control),
        password=PASSWORD,
    )
    switch.start()
    Event().wait()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:4]))
