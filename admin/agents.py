"""The people who answer: name, extension, skills, wrap-up."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import peewee
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from pydantic import BaseModel, Field
from werkzeug.wrappers import Response

from admin import agent_form, queue_form, skills
from admin.access import Right, needs
from admin.board import AgentRow, boards
from admin.forms import Form, Refused, sentence
from admin.leading import check_nothing_leads_to
from admin.numbers import check_targets, targets
from admin.parts import Parts, parts
from admin.publishing import change
from admin.skills import Skills
from dialplan.destinations import ToExtension, decode
from engine.live import keys
from engine.live.connection import RedisError
from engine.records import queue_store
from engine.records.queues import AgentSettings, RulesInvalid, decode_agent

agents = Blueprint("agents", __name__)

_ADD = (
    "INSERT INTO agent (name, extension, wrap_up_seconds, account_id, sip_password) "
    "VALUES (%s, %s, %s, %s, %s) RETURNING id"
)


class AgentIn(BaseModel):
    """An agent as it shall be."""

    name: str = Field(title="Name", min_length=1, max_length=80)
    extension: str = Field(title="Extension", pattern="^[0-9]{2,6}$", description="2 to 6 digits")
    wrap_up_seconds: int = Field(default=5, title="Wrap-up", ge=0, le=3600)
    account: str | None = Field(
        default=None, title="Account", description="Name of the account the agent signs in with."
    )
    skills: Skills = Field(default_factory=dict, title="Skills", description="Skill -> level, 1 to 5.")
    rules: dict[str, Any] | None = Field(
        default=None,
        title="Rules",
        description="auto_answer, wrap_up, cost_per_minute, recorded and forwarding, as engine.records.queues.AgentSettings "
        "writes them; null leaves them as they are.",
    )


@dataclass(frozen=True, slots=True)
class Agent:
    agent_id: int
    name: str
    extension: str
    wrap_up_seconds: int
    account: str | None
    skills: dict[str, int]
    rules: dict[str, Any]
    """What the agent is set up with beyond these; see engine.records.queues.AgentSettings."""


def find(parts: Parts) -> Sequence[Agent]:
    own = skills.of(parts.db, "agent")
    rows = parts.db.execute_sql(
        "SELECT a.id, a.name, a.extension, a.wrap_up_seconds, c.name, a.rules FROM agent a "
        "LEFT JOIN account c ON c.id = a.account_id ORDER BY a.name, a.id"
    )
    return [
        Agent(agent_id, name, extension, wrap_up, account, own.get(agent_id, {}), rules)
        for agent_id, name, extension, wrap_up, account, rules in rows.fetchall()
    ]


def get(parts: Parts, agent_id: int) -> Agent | None:
    return next((agent for agent in find(parts) if agent.agent_id == agent_id), None)


def save(parts: Parts, wanted: AgentIn, agent_id: int | None) -> int:
    """Add or change an agent and publish it; its id. Refused where extension or account are another one's, for rules that
    make no sense, and for a new extension while anything leads to the present one."""
    before = None if agent_id is None else get(parts, agent_id)
    if before is not None and before.extension != wanted.extension:
        keeps = f"Extension {before.extension} stays"
        check_nothing_leads_to(parts, ToExtension(before.extension), keeps, "extension")
    settings = None if wanted.rules is None else _settings(parts, wanted.rules)
    account_id = None
    if wanted.account:
        row = parts.db.execute_sql("SELECT id FROM account WHERE name = %s", (wanted.account,)).fetchone()
        if row is None:
            raise Refused("account", f"There is no account {wanted.account}.")
        account_id = row[0]
    values = (wanted.name.strip(), wanted.extension, wanted.wrap_up_seconds, account_id)
    try:
        with change(parts):
            if agent_id is None:
                statement = _ADD
                phone_password = secrets.token_urlsafe(12)
                agent_id = int(parts.db.execute_sql(statement, (*values, phone_password)).fetchone()[0])
            else:
                statement = (
                    "UPDATE agent SET name = %s, extension = %s, wrap_up_seconds = %s, account_id = %s WHERE id = %s"
                )
                parts.db.execute_sql(statement, (*values, agent_id))
            skills.save(parts.db, "agent", agent_id, wanted.skills)
            if settings is not None:
                queue_store.save_agent_rules(parts.db, agent_id, settings)
    except peewee.IntegrityError as error:
        if "account_id" in str(error):
            raise Refused("account", f"The account {wanted.account} belongs to another agent.") from error
        raise Refused("extension", f"Extension {wanted.extension} belongs to another agent.") from error
    return agent_id


def _settings(parts: Parts, rules: dict[str, Any]) -> AgentSettings:
    """Refused where they make no sense, or lead to what is not there."""
    try:
        settings = decode_agent(rules)
    except RulesInvalid as error:
        raise Refused(error.field or "rules", sentence(error.message)) from error
    known = targets(parts)
    for place, step in enumerate(settings.forwarding):
        check_targets(decode(step.to), known, f"forwarding.{place}.to", "Forwarding")
    return settings


def delete(parts: Parts, agent: Agent) -> None:
    """Take an agent away; calls keep the extension. Refused while the agent is logged in or anything leads to the extension."""
    try:
        live = parts.board.agent(agent.agent_id)
    except RedisError:
        live = None
    if live and live.get("presence") not in (None, "offline"):
        raise Refused("", "The agent is logged in. Put them offline on the live page first.")
    check_nothing_leads_to(parts, ToExtension(agent.extension), f"{agent.name} ({agent.extension}) is not deleted")
    with change(parts):
        parts.db.execute_sql("DELETE FROM agent WHERE id = %s", (agent.agent_id,))


@agents.get("/setup/agents")
@needs(Right.SEE_SETUP)
def listed() -> str:
    states: dict[int, AgentRow] = {}
    phones: set[str] | None = None
    with suppress(RedisError):
        states = {row.agent_id: row for row in boards().view().agents}
        # Nothing is said of phones before the switch has said anything.
        phones = set(parts().redis.hkeys(keys.PHONES)) or None
    return render_template("agents.html", place_key="agents", agents=find(parts()), states=states, phones=phones)


@agents.route("/setup/agents/new", methods=["GET", "POST"])
@needs(Right.CHANGE_SETUP)
def add() -> Response | str:
    return _edit(None)


@agents.route("/setup/agents/<int:agent_id>", methods=["GET", "POST"])
@needs(Right.CHANGE_SETUP)
def edit(agent_id: int) -> Response | str:
    found = get(parts(), agent_id)
    if found is None:
        abort(404)
    return _edit(found)


def _edit(agent: Agent | None) -> Response | str:
    here, form = parts(), Form()
    if request.method == "POST":
        form.values = request.form.to_dict()
        typed: dict[str, Any] = {
            key: form.values.get(key, "").strip() for key in ("name", "extension", "wrap_up_seconds")
        }
        wanted = form.read(
            AgentIn,
            typed
            | {
                "account": form.values.get("account") or None,
                "skills": skills.typed(form.values),
                "rules": agent_form.typed(form.values, agent.rules if agent else {}),
            },
        )
        if wanted is not None:
            try:
                save(here, wanted, agent.agent_id if agent else None)
            except Refused as refused:
                form.refuse(refused)
            else:
                flash(f"{wanted.name} is saved and published.", "good")
                return redirect(url_for("agents.listed"))
    elif agent is not None:
        form.values = {
            "name": agent.name,
            "extension": agent.extension,
            "wrap_up_seconds": agent.wrap_up_seconds,
            "account": agent.account or "",
        }
        form.values |= {f"skill:{name}": str(level) for name, level in agent.skills.items()}
        form.values |= agent_form.shown(agent.rules)
    else:
        form.values = {"wrap_up_seconds": 5} | agent_form.shown({})
    taken = "SELECT account_id FROM agent WHERE account_id IS NOT NULL AND id <> %s"
    accounts = here.db.execute_sql(
        f"SELECT name, full_name FROM account WHERE enabled AND id NOT IN ({taken}) ORDER BY name",  # noqa: S608
        (agent.agent_id if agent else 0,),
    ).fetchall()
    page = render_template(
        "agent.html",
        place_key="agents",
        agent=agent,
        form=form,
        accounts=accounts,
        all_skills=skills.names(here.db),
        phone_password=_phone_password(here, agent),
        targets=targets(here),
        numbered=queue_form.numbered,
        modes=agent_form.WRAP_UPS,
        sip=here.settings.sip,
    )
    return Response(page, 422, mimetype="text/html") if form.faults else page


def _phone_password(here: Parts, agent: Agent | None) -> str:
    if agent is None:
        return ""
    row = here.db.execute_sql("SELECT sip_password FROM agent WHERE id = %s", (agent.agent_id,)).fetchone()
    return str(row[0]) if row else ""


@agents.post("/setup/agents/<int:agent_id>/phone-password")
@needs(Right.CHANGE_SETUP)
def new_phone_password(agent_id: int) -> Response:
    found = get(parts(), agent_id)
    if found is None:
        abort(404)
    with change(parts()):
        parts().db.execute_sql(
            "UPDATE agent SET sip_password = %s WHERE id = %s", (secrets.token_urlsafe(12), agent_id)
        )
    flash(f"The phone of {found.name} has a new password; enter it there before its next registration.", "good")
    return redirect(url_for("agents.edit", agent_id=agent_id))


@agents.post("/setup/agents/<int:agent_id>/delete")
@needs(Right.CHANGE_SETUP)
def remove(agent_id: int) -> Response:
    found = get(parts(), agent_id)
    if found is None:
        abort(404)
    try:
        delete(parts(), found)
    except Refused as refused:
        flash(str(refused), "bad")
        return redirect(url_for("agents.edit", agent_id=agent_id))
    flash(f"{found.name} is deleted.", "good")
    return redirect(url_for("agents.listed"))
