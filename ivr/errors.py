"""What can go wrong with a flow and within one."""

from __future__ import annotations

from conf.errors import PointsmanError


class NodeFailed(PointsmanError):
    """This node cannot do its work; the call leaves it by its error exit."""


class WebFailed(PointsmanError):
    """No usable answer of a web service: not reached, too late, too long, no JSON, or at an address that is not allowed."""


class DraftOutdated(PointsmanError):
    """Somebody else has saved or published a version meanwhile; saving on top of it would silently undo their work."""


class FlowUnfit(PointsmanError):
    """A flow with faults, or whose tests fail, is not published; the message names each."""


class FlowTestInvalid(PointsmanError):
    """A document that describes no test of a flow; the message names each fault and its place."""


class FlowInvalid(PointsmanError):
    """A document that is no flow; the message names each fault and its place."""


class FlowUnknown(PointsmanError):
    """There is no flow, or no such version of it."""


class FlowTaken(PointsmanError):
    """Another flow has this name."""


class FlowUsed(PointsmanError):
    """Something still leads to the flow; the message names what."""
