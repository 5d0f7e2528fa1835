"""Measuring: a throw-away installation under load, what each of its processes used, and what its callers noticed."""
