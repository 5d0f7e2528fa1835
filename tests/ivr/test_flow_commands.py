"""`pointsman flow` on files and on a database."""

import json

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
from ivr.errors import FlowUnfit
from ivr.flow_test import FlowTest

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
        heard.get_message(timeout=20)
        done = run("import", MAIN, "--author", "anna")
        assert (done.exit_code, done.exception) == (0, None)
        assert b"configuration" in heard.get_message(timeout=20)["data"]
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


def keep_test(db, **changes):
    test = {
        "name": "Sales", "at": "2026-11-23T09:00:00+01:00", "keys": ["1"],
        "expect": {"prompts": ["greeting_morning", "menu_main"], "end": "answered"}, **changes,
    }  # fmt: skip
    store.save_test(db, "main", FlowTest.parse(test), author="anna")


def test_flows_are_tried_by_their_tests(run, company):
    run("import", MAIN)
    keep_test(company)
    tried = run("test")
    assert (tried.exit_code, tried.stdout) == (0, "main: Sales: passed\n")
    keep_test(company, name="Support", expect={"end": "voicemail"})
    tried = run("test", "main")
    assert tried.exit_code == 1
    assert "main: Support: failed\n    the call ended as answered, expected was voicemail" in tried.stdout
    told = [json.loads(line) for line in run("test", "main", "--json").stdout.splitlines()]
    assert [(each["test"], each["passed"], each["end"]) for each in told] == [
        ("Sales", True, "answered"),
        ("Support", False, "answered"),
    ]


def test_a_failing_test_keeps_a_version_back(run, company, tmp_path):
    run("import", MAIN)
    keep_test(company)
    changed = tmp_path / "main.yaml"
    changed.write_text(MAIN.read_text().replace("greeting_morning", "greeting"))
    assert run("test", "--file", changed).exit_code == 1
    refused = run("import", changed)
    assert isinstance(refused.exception, FlowUnfit)
    assert "'greeting_morning' was not heard" in refused.stdout
    assert [line.version for line in store.history(company, "main")] == [1]
    assert run("import", changed, "--despite-tests").exit_code == 0
    keep_test(company, blocks=False)
    assert run("import", MAIN).exit_code == 0


def test_history_and_differences(run, company, tmp_path):
    run("import", MAIN, "--author", "anna")
    changed = tmp_path / "main.yaml"
    changed.write_text(MAIN.read_text().replace("greeting_morning", "greeting"))
    run("import", "--draft", changed, "--author", "ben")
    lines = run("history", "main").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["2", "1"]
    assert "draft" in lines[0]
    assert "ben" in lines[0]
    told = run("diff", "main", 1, 2).stdout
    assert "['greeting_morning'] -> ['greeting']" in told
    assert run("diff", "main", 1, 1).stdout == "nothing has changed\n"


def test_a_test_from_a_past_call(run, company):
    run("import", MAIN)
    called = "6a0a2c3e-0000-4000-8000-000000000001"
    company.execute_sql(
        "INSERT INTO call (id, started_at, ended_at, direction, status, caller_number, called_number)"
        " VALUES (%s, '2026-11-23 08:00+00', '2026-11-23 08:01+00', 'inbound', 'answered', '+4532101010', '5000')",
        (called,),
    )
    flow = store.export_flow(company, "main")
    keep_test(company)
    path = json.loads(run("test", "main", "--json").stdout)["path"]
    ways = {"menu": "1", "sales": "answered"}
    for second, node in enumerate(path):
        company.execute_sql(
            "INSERT INTO ivr_step (call_id, entered_at, left_at, flow, flow_version, node, node_type, exit)"
            " VALUES (%s, timestamptz '2026-11-23 08:00+00' + %s * interval '1 second',"
            " timestamptz '2026-11-23 08:00+00' + (%s + 1) * interval '1 second', 'main', 1, %s, %s, %s)",
            (called, second, second, node, flow.nodes[node].type, ways.get(node, "next")),
        )
    made = run("test-from-call", called, "--name", "As it was")
    assert made.exit_code == 0, made.output
    assert "+4500000000" in made.stdout
    assert "32101010" not in made.stdout
    assert "main: As it was: passed" in run("test", "main").stdout
    assert isinstance(run("test-from-call", "nobody", "--name", "x").exception, PointsmanError)
