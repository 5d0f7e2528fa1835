"""The FreeSWITCH nodes that hand calls to this engine, each with a control link of its own: what concerns a call's legs is
said to the node the call is on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conf.settings import Address
from engine.esl.control import Control


class Switches:
    """Control links by the address of their node's event socket. There is at least one."""

    def __init__(self, addresses: Sequence[Address], password: str) -> None:
        self._controls = {str(address): Control((address.host, address.port), password) for address in addresses}

    def start(self) -> None:
        for control in self._controls.values():
            control.start()

    def stop(self) -> None:
        for control in self._controls.values():
            control.stop()

    def __iter__(self) -> Iterator[tuple[str, Control]]:
        return iter(self._controls.items())

    @property
    def connected(self) -> bool:
        """Whether every node is there."""
        return all(control.connected for control in self._controls.values())

    def named(self, name: str) -> Control:
        """The link of the node of this name; of the first one where there is none of that name any more."""
        return self._controls.get(name) or next(iter(self._controls.values()))

    def of_core(self, core_uuid: str | None) -> tuple[str, Control]:
        """The node that a call came from, by the Core-UUID of its data, with its link. One that is not known by that yet,
        because its link is not up, is taken for the first such."""
        first = next(iter(self._controls.items()))
        if len(self._controls) == 1:
            return first
        for name, control in self._controls.items():
            if control.core_uuid == core_uuid:
                return name, control
        return next(((name, control) for name, control in self._controls.items() if not control.connected), first)
