"""Which processes an installation has."""

from __future__ import annotations

from pathlib import Path

import psutil


def left_running(home: Path) -> list[str]:
    """Processes that know this home: by their environment, or as Postgres and Redis by their arguments."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(home) in " ".join(process.cmdline()) or process.environ().get("POINTSMAN_HOME") == str(home):
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found
