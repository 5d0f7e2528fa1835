"""What can go wrong with prompts and audio."""

from __future__ import annotations

from conf.errors import PointsmanError


class PromptMissing(PointsmanError):
    """No folder has a prompt of this name that can be played."""


class AudioUnusable(PointsmanError):
    """A file that cannot be played or converted; the message says what it is and what is wanted."""


class TextsBroken(PointsmanError):
    """A `prompts.yaml` that cannot be read."""


class SynthesisFailed(PointsmanError):
    """A synthesiser is not installed, does not speak the language, or gave no audio."""


class PromptExists(PointsmanError):
    """A prompt of that name is there already, or must stay there."""
