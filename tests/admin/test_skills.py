"""The grid of skills: levels changed together, nothing overwritten unseen, and skills that are needed stay."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sample_company import Company


def grid(page: str) -> dict[str, str]:
    """What the form holds: cell -> level, and the mark of what was shown."""
    cells = dict(re.findall(r'<input name="(\d+:\d+)" value="(\d?)"', page))
    shown = re.search(r'name="shown" value="([0-9a-f]+)"', page)
    assert shown
    return cells | {"shown": shown[1]}


def cell(company: Company, page: str, agent: str, skill: str) -> str:
    found = re.search(rf'name="(\d+:\d+)"[^>]*aria-label="{agent}, {skill}"', page)
    assert found, (agent, skill)
    return found[1]


def levels(company: Company, agent: str) -> dict[str, int]:
    with company.parts.db.connection_context():
        return dict(
            company.parts.db.execute_sql(
                "SELECT s.name, l.level FROM agent_skill l JOIN skill s ON s.id = l.skill_id "
                "JOIN agent a ON a.id = l.agent_id WHERE a.name = %s",
                (agent,),
            ).fetchall()
        )


def test_levels_are_changed_together_and_published_once(company: Company, visit: Any) -> None:
    admin = visit("admin")
    page = admin.get("/setup/skills").text
    given = grid(page)
    given[cell(company, page, "Anna Holm", "sales")] = "4"
    given[cell(company, page, "Anna Holm", "danish")] = ""
    given[cell(company, page, "Ben Okoro", "danish")] = "1"
    answer = admin.post("/setup/skills", **given)
    assert answer.location == "/setup/skills"
    assert "3 levels changed and published" in admin.get("/setup/skills").text
    assert levels(company, "Anna Holm") == {"sales": 4, "english": 3}
    assert levels(company, "Ben Okoro") == {"support": 5, "english": 5, "danish": 1}


def test_nothing_is_overwritten_that_was_not_seen(company: Company, visit: Any) -> None:
    admin, other = visit("admin"), visit("admin")
    page = admin.get("/setup/skills").text
    given = grid(page)
    key = cell(company, page, "Anna Holm", "sales")
    assert other.post("/setup/skills", shown=given["shown"], **{key: "2"}).status_code == 302
    answer = admin.post("/setup/skills", shown=given["shown"], **{key: "3"})
    assert answer.status_code == 422
    assert "Somebody else changed levels meanwhile" in answer.text
    assert levels(company, "Anna Holm")["sales"] == 2
    again = grid(answer.text)
    assert again[key] == "3", "what was typed is still there"
    assert admin.post("/setup/skills", shown=again["shown"], **{key: "3"}).status_code == 302
    assert levels(company, "Anna Holm")["sales"] == 3


@pytest.mark.parametrize("level", ["0", "6", "x", "-1", "55"])
def test_a_level_that_is_none_saves_nothing(company: Company, visit: Any, level: str) -> None:
    admin, before = visit("admin"), levels(company, "Anna Holm")
    page = admin.get("/setup/skills").text
    given = grid(page)
    given[cell(company, page, "Anna Holm", "sales")] = level
    given[cell(company, page, "Anna Holm", "danish")] = "1"
    answer = admin.post("/setup/skills", **given)
    assert answer.status_code == 422
    assert "Anna Holm, sales: a level is 1 to 5, or nothing." in answer.text
    assert levels(company, "Anna Holm") == before


def test_a_skill_comes_is_renamed_and_goes(company: Company, visit: Any) -> None:
    admin = visit("admin")
    admin.post("/setup/skills/new", name="Swedish")
    page = admin.get("/setup/skills").text
    assert "swedish" in page
    found = re.search(r"/setup/skills/(\d+)/name\"><input[^>]*><h2[^>]*>Rename swedish", page)
    assert found
    admin.post(f"/setup/skills/{found[1]}/name", name="norwegian")
    assert "norwegian" in admin.get("/setup/skills").text
    admin.post(f"/setup/skills/{found[1]}/name", name="SALES")
    assert "There is a skill sales already" in admin.get("/setup/skills").text
    admin.post(f"/setup/skills/{found[1]}/delete")
    page = admin.get("/setup/skills").text
    assert "Rename norwegian" not in page


def test_a_skill_that_a_queue_needs_stays(company: Company, visit: Any) -> None:
    admin = visit("admin")
    page = admin.get("/setup/skills").text
    found = re.search(r"/setup/skills/(\d+)/delete\"><input[^>]*><h2[^>]*>Delete the skill sales", page)
    assert found
    admin.post(f"/setup/skills/{found[1]}/delete")
    page = admin.get("/setup/skills").text
    assert "The queue Sales needs it. Take it away there first." in page
    assert levels(company, "Anna Holm")["sales"] == 5


def test_who_may_only_look_changes_nothing(company: Company, visit: Any) -> None:
    supervisor = visit("supervisor")
    page = supervisor.get("/setup/skills").text
    given = grid(page)
    assert "Save and publish" not in page
    assert supervisor.post("/setup/skills", **given).status_code == 403
    assert supervisor.post("/setup/skills/new", name="x").status_code == 403
    assert visit("anna").get("/setup/skills").status_code == 403


def test_the_api_does_the_same(company: Company) -> None:
    client = company.app.test_client()
    bearer = {"Authorization": f"Bearer {company.token('admin')}"}
    told = client.get("/api/v1/skills", headers=bearer).json
    assert {skill["name"]: skill["queues"] for skill in told["skills"]}["sales"] == ["sales"]
    wanted = [
        {"extension": "1001", "skill": "sales", "level": 3},
        {"extension": "1004", "skill": "danish", "level": 2},
    ]
    answer = client.put("/api/v1/skills/levels", json={"levels": wanted}, headers=bearer)
    assert answer.json == {"changed": 2}
    refused = client.put(
        "/api/v1/skills/levels",
        json={"levels": [*wanted, {"extension": "9999", "skill": "sales", "level": 3}]},
        headers=bearer,
    )
    assert refused.status_code == 409
    assert "9999" in refused.json["detail"]
    assert levels(company, "David Kim")["danish"] == 2
