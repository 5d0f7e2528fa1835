"""split: send shares of the callers different ways."""

from __future__ import annotations

import hashlib
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from ivr.node import ERROR, Exit, Form, Node, node_type
from ivr.visit import Visit

ShareName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


@node_type
class Split(Node):
    """Leaves by one of the exits named in `shares`, each taken by its percentage of the calls. The same call always goes the
    same way, however often it comes by, and another `split` decides on its own."""

    form: ClassVar[Form] = Form(
        "Share out",
        "Sends shares of the callers different ways, such as one in ten to a new menu.",
        "decide",
        "percentage",
    )

    type: Literal["split"]
    shares: dict[ShareName, Annotated[int, Field(ge=1, le=100)]] = Field(
        min_length=1,
        max_length=20,
        title="Shares in per cent",
        description="Each is an exit; together they make 100.",
        json_schema_extra={"unit": "%"},
    )

    @field_validator("shares")
    @classmethod
    def _whole(cls, shares: dict[str, int]) -> dict[str, int]:
        if sum(shares.values()) != 100:
            raise ValueError(f"the shares are percentages and make 100 together, not {sum(shares.values())}")
        if ERROR in shares:
            raise ValueError(f"{ERROR!r} is an exit that each node has; call the share something else")
        return shares

    def ways(self) -> tuple[Exit, ...]:
        return tuple(Exit(name) for name in self.shares)

    def run(self, visit: Visit) -> str:
        drawn = hashlib.sha256(f"{visit.phone.call_id} {visit.node}".encode()).digest()
        point = int.from_bytes(drawn[:8], "big") * 100 >> 64
        for name, share in self.shares.items():
            point -= share
            if point < 0:
                return name
        raise AssertionError("shares make 100 together")
