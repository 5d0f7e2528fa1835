"""What every page of the API is made of: its blueprint, the path of a thing, and how a refusal is answered."""

from __future__ import annotations

from typing import NoReturn

from flask import abort
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel

from admin.api.shapes import FaultOut
from admin.forms import Refused


class ById(BaseModel):
    id: int


def blueprint(name: str) -> APIBlueprint:
    """A group of addresses under `/api/v1` that take bearer tokens."""
    return APIBlueprint(
        name,
        f"admin.api.{name}",
        url_prefix="/api/v1",
        abp_security=[{"token": []}],
        abp_responses={401: FaultOut, 403: FaultOut, 409: FaultOut},
    )


def conflict(refused: Refused) -> NoReturn:
    """Answer 409 with what was refused and the field at fault."""
    abort(409, f"{refused.field}: {refused}" if refused.field else str(refused))
