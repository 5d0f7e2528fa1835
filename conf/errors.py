"""The root of everything Pointsman raises on purpose; each package names its own leaves for what happened."""

from __future__ import annotations


class PointsmanError(Exception):
    """A fault whose message is fit for the person who can mend it."""


class SettingsInvalid(PointsmanError):
    """A setting that cannot be used; the message names it and what it should look like."""
