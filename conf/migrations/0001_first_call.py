"""The first schema: configuration, customers, history and the report views. Its text is the SQL file of the same name."""

from pathlib import Path
from typing import Any


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001  # the runner's signature
    # Without parameters, so that a % in the text means itself.
    with db.cursor() as cursor:
        cursor.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
