"""The pages of opening hours."""

from __future__ import annotations

from flask import Blueprint, render_template

from admin import hours as found_hours
from admin.access import Right, needs
from admin.parts import parts

hours = Blueprint("hours", __name__)


@hours.get("/setup/hours")
@needs(Right.SEE_SETUP)
def listed() -> str:
    return render_template("hours.html", place_key="hours", calendars=found_hours.find(parts()))
