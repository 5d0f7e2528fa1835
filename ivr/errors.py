"""What can go wrong with a flow and within one."""

from __future__ import annotations

from conf.errors import PointsmanError


class NodeFailed(PointsmanError):
    """This node cannot do its work; the call leaves it by its error exit."""


class FlowInvalid(PointsmanError):
    """A document that is no flow; the message names each fault and its place."""


class FlowUnknown(PointsmanError):
    """There is no flow, or no such version of it."""
