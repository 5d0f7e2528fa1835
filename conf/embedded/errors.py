"""What can be wrong with an embedded server."""

from __future__ import annotations

from conf.errors import PointsmanError


class EmbeddedBroken(PointsmanError):
    """An embedded server cannot be prepared or does not answer; the message says why and what to do."""
