"""What flows are checked against, as the installation has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conf.database import Database
from conf.settings import Settings
from engine.records.surroundings import surroundings
from sounds.catalogue import Catalogue


@pytest.fixture
def staffed(db: Database) -> Database:
    db.execute_sql("INSERT INTO agent (name, extension) VALUES ('Ann', '1001'), ('Ben', '1002'), ('Eve', '1003')")
    db.execute_sql("INSERT INTO skill (name) VALUES ('danish')")
    db.execute_sql(
        "INSERT INTO agent_skill SELECT a.id, s.id, CASE a.name WHEN 'Ann' THEN 5 ELSE 2 END FROM agent a, skill s"
        " WHERE a.name <> 'Eve'"
    )
    db.execute_sql("INSERT INTO agent_group (name) VALUES ('night')")
    db.execute_sql("INSERT INTO agent_group_member SELECT g.id, a.id FROM agent_group g, agent a WHERE a.name = 'Eve'")
    return db


@pytest.mark.parametrize(
    ("level", "exact", "rules", "count"),
    [
        (None, False, {}, 3), (1, False, {}, 2), (3, False, {}, 1), (2, True, {}, 1), (4, True, {}, 0),
        (3, False, {"relaxations": [{"after_seconds": 20, "drop": "danish"}]}, 3),
        (None, False, {"members": {"groups": ["night"], "agents": []}}, 1),
        (None, False, {"members": {"groups": ["night"], "agents": [{"extension": "1001"}]}}, 2),
        (1, False, {"members": {"groups": ["night"]}}, 0), (None, False, {"members": {"groups": ["day"]}}, 0),
    ],
)  # fmt: skip
def test_who_may_take_the_calls_of_a_queue(
    staffed: Database, tmp_path: Path, level: int | None, exact: bool, rules: dict[str, object], count: int
) -> None:
    staffed.execute_sql("INSERT INTO queue (name, rules) VALUES ('sales', %s)", (json.dumps(rules),))
    if level is not None:
        staffed.execute_sql(
            "INSERT INTO queue_skill (queue_id, skill_id, level, exact) SELECT q.id, s.id, %s, %s FROM queue q, skill s",
            (level, exact),
        )
    found = surroundings(staffed, Settings(home=tmp_path), Catalogue.of_home(tmp_path))
    assert found.staff == {"sales": count}
    assert (found.queues, found.extensions) == ({"sales"}, {"1001", "1002", "1003"})
