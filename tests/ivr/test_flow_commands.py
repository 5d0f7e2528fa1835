"""`pointsman flow` on files and on a database."""

import pytest
import redis as redis_client
from click.testing import CliRunner
from playing import DEMO

from conf.database import Database
from conf.errors import PointsmanError
from dialplan import documents
from dialplan import store as dialplan_store
from engine.commands.flow import flow
from ivr import store

MAIN = DEMO / "flows" / "main.yaml"


def version(db: Database) -> int:
    return int(db.execute_sql("SELECT version FROM configuration").fetchone()[0])


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    monkeypatch.delenv("POINTSMAN_DATABASE_URL", raising=False)
    monkeypatch.delenv("POINTSMAN_REDIS_URL", raising=False)

    def run(*arguments: object):
        return CliRunner().invoke(flow, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def company(db, database_url, redis_url, monkeypatch):
    """A database with what the demo flows name, set as the installation's."""
    from zoneinfo import ZoneInfo

    text = (DEMO / "calendars.yaml").read_text(encoding="utf-8")
    dialplan_store.import_calendars(db, documents.read(text), zone=ZoneInfo("Europe/Copenhagen"), years=[2026])
    db.execute_sql("INSERT INTO queue (name) VALUES ('sales'), ('support'), ('reception')")
    monkeypatch.setenv("POINTSMAN_DATABASE_URL", database_url)
    monkeypatch.setenv("POINTSMAN_REDIS_URL", redis_url)
    return db


def test_check_without_an_installation(run, tmp_path):
    good = run("check", MAIN)
    assert (good.exit_code, "in order" in good.stdout, "not checked" in good.stderr) == (0, True, True)
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: bad\nstart: a\nnodes: {a: {type: play, prompts: [no_such]}}\n")
    found = run("check", "--offline", MAIN, bad)
    assert found.exit_code == 1
    assert "bad.yaml: a: exit 'next' leads nowhere; lead it to a node" in found.stdout
    assert "no prompt 'no_such'" in found.stdout


def test_check_against_an_installation(run, company):
    assert run("check", MAIN).exit_code == 0
    company.execute_sql("DELETE FROM queue WHERE name = 'sales'")
    found = run("check", MAIN)
    assert found.exit_code == 1
    assert "no queue 'sales'" in found.stdout


def test_import_puts_in_force_and_tells_the_engines(run, company, redis_url):
    before = version(company)
    with redis_client.Redis.from_url(redis_url).pubsub() as heard:
        heard.subscribe("live")
        heard.get_message(timeout=5)
        done = run("import", MAIN, "--author", "anna")
        assert (done.exit_code, done.exception) == (0, None)
        assert b"configuration" in heard.get_message(timeout=5)["data"]
    assert "main: version 1 is in force" in done.stdout
    assert version(company) == before + 1
    assert store.history(company, "main")[0].author == "anna"


def test_import_of_an_unfit_flow_changes_nothing_but_a_draft_is_kept(run, company, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: bad\nstart: a\nnodes: {a: {type: play, prompts: [greeting]}}\n")
    refused = run("import", MAIN, bad)
    assert isinstance(refused.exception, PointsmanError)
    assert store.load(company) == {}
    kept = run("import", "--draft", bad)
    assert "bad: version 1 kept as a draft" in kept.stdout
    assert store.load(company) == {}


def test_export_gives_back_what_was_imported(run, company, tmp_path):
    run("import", MAIN)
    shown = run("export", "main")
    assert documents.read(shown.stdout) == store.read_file(MAIN).document()
    target = tmp_path / "main.yaml"
    run("export", "main", "-o", target)
    assert target.read_text() == shown.stdout
    assert store.read_file(target) == store.read_file(MAIN)
