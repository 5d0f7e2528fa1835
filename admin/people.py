"""People: who may sign in and in which role, and the tokens by which programs do."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.wrappers import Response as AnyResponse

from admin.access import Right, needs, viewer
from admin.account import SHORTEST_PASSWORD, accounts
from admin.forms import Form, Refused, sentence
from admin.parts import Parts, parts
from engine.records.accounts import AccountRefused, Person, Role, Token

people = Blueprint("people", __name__)
Answer = AnyResponse | str

ROLES: dict[Role, str] = {
    "agent": "Answers calls: the own desk, the own calls, the live board without other callers' names.",
    "analyst": "Reads: all calls, recordings, reports, and how everything is set up.",
    "supervisor": "Reads all that, sets agents' states, moves waiting calls, and closes by hand.",
    "admin": "Everything, this page too.",
}


ONE_LINE = r"^[^\x00-\x1f\x7f]*$"


class PersonIn(BaseModel):
    """What may be changed of an account."""

    model_config = ConfigDict(extra="forbid")

    full_name: str = Field(default="", title="Full name", max_length=80, pattern=ONE_LINE, description="on one line")
    role: Role = Field(title="Role")
    enabled: bool = Field(default=True, title="May sign in")


class NewPersonIn(PersonIn):
    """A new account. Without a password one is made up and told once."""

    name: str = Field(
        title="User name",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,39}$",
        description="1 to 40 of letters, digits, . _ @ and -, beginning with a letter or digit",
    )
    password: str = Field(default="", title="Password", max_length=512)


class PasswordIn(BaseModel):
    """Another password for somebody. Without one, one is made up and told once."""

    model_config = ConfigDict(extra="forbid")

    password: str = Field(default="", title="Password", max_length=512)


class TokenIn(BaseModel):
    """A token for an account, with a name that says what it is for."""

    model_config = ConfigDict(extra="forbid")

    account: str = Field(
        title="Account", min_length=1, max_length=100, pattern=ONE_LINE, description="an account's name"
    )
    name: str = Field(title="Name", min_length=1, max_length=60, pattern=ONE_LINE, description="on one line")


def find() -> list[Person]:
    return accounts().people()


def get(account_id: int) -> Person | None:
    return next((person for person in find() if person.id == account_id), None)


def add(wanted: NewPersonIn) -> tuple[int, str]:
    """Make an account; its id, and its password where that was made up."""
    password = _password(wanted.password)
    try:
        made = accounts().add(wanted.name, password, wanted.role, wanted.full_name.strip())
        if not wanted.enabled:
            accounts().change(made, full_name=wanted.full_name.strip(), role=wanted.role, enabled=False)
    except AccountRefused as error:
        raise Refused("name", sentence(str(error))) from error
    return made, "" if wanted.password else password


def change(account_id: int, wanted: PersonIn, *, by: int) -> None:
    """Change an account. Refused for what would lock its own author, or everybody, out."""
    if account_id == by and (not wanted.enabled or wanted.role != "admin"):
        raise Refused("role", "You cannot take your own rights away; another administrator can.")
    try:
        accounts().change(account_id, full_name=wanted.full_name.strip(), role=wanted.role, enabled=wanted.enabled)
    except AccountRefused as error:
        raise Refused("role", sentence(str(error))) from error


def reset(person: Person, wanted: PasswordIn) -> str:
    """Give somebody another password, which signs them out everywhere; the password where it was made up."""
    password = _password(wanted.password)
    try:
        accounts().set_password(person.name, password)
    except AccountRefused as error:
        raise Refused("password", sentence(str(error))) from error
    return "" if wanted.password else password


def make_token(here: Parts, wanted: TokenIn) -> str:
    """A new token; it cannot be read again later. Refused where the account has one of this name."""
    name = wanted.name.strip()
    if not name:
        raise Refused("name", "Name is missing.")
    if any(token.account == wanted.account and token.name == name for token in accounts().tokens()):
        raise Refused("name", f"{wanted.account} has a token {name} already. Revoke it, or choose another name.")
    try:
        return accounts().add_token(wanted.account, name, here.clock.now())
    except AccountRefused as error:
        raise Refused("account", sentence(str(error))) from error


def token(token_id: int) -> Token | None:
    return next((each for each in accounts().tokens() if each.id == token_id), None)


def _password(wanted: str) -> str:
    if wanted and len(wanted) < SHORTEST_PASSWORD:
        raise Refused("password", f"Password needs {SHORTEST_PASSWORD} characters or more.")
    return wanted or secrets.token_urlsafe(12)


# --- pages ---


def _page(template: str, key: str, form: Form | None = None, **more: Any) -> Answer:
    page = render_template(template, place_key=key, form=form, **more)
    return Response(page, 422, mimetype="text/html") if form is not None and form.faults else page


@people.get("/setup/people")
@needs(Right.PEOPLE)
def listed() -> Answer:
    return _page("people.html", "people", people=find())


@people.route("/setup/people/new", methods=["GET", "POST"])
@needs(Right.PEOPLE)
def new() -> Answer:
    form = Form()
    if request.method == "POST":
        form.values = request.form.to_dict()
        wanted = form.read(NewPersonIn, _typed(form.values) | {"name": form.values.get("name", "").strip()})
        if wanted is not None:
            try:
                made, password = add(wanted)
            except Refused as refused:
                form.refuse(refused)
            else:
                if password:
                    return _page("person_secret.html", "people", name=wanted.name, secret=password, account_id=made)
                flash(f"{wanted.name} may sign in from now on.", "good")
                return redirect(url_for("people.listed"))
        form.values.pop("password", None)
    else:
        form.values = {"role": "agent", "enabled": "1"}
    return _page("person.html", "people", form, person=None, roles=ROLES, shortest=SHORTEST_PASSWORD)


def _typed(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "full_name": values.get("full_name", ""),
        "role": values.get("role", ""),
        "enabled": "enabled" in values,
    } | ({"password": values["password"]} if "password" in values else {})


def _found(account_id: int) -> Person:
    found = get(account_id)
    if found is None:
        abort(404)
    return found


@people.route("/setup/people/<int:account_id>", methods=["GET", "POST"])
@needs(Right.PEOPLE)
def edit(account_id: int) -> Answer:
    person, form = _found(account_id), Form()
    if request.method == "POST":
        form.values = request.form.to_dict()
        given = _typed(form.values)
        given.pop("password", None)
        wanted = form.read(PersonIn, given)
        if wanted is not None:
            try:
                change(account_id, wanted, by=viewer().account_id)
            except Refused as refused:
                form.refuse(refused)
            else:
                gone = person.enabled and not wanted.enabled
                flash(
                    f"{person.name} is signed out and may not sign in." if gone else f"{person.name} is saved.", "good"
                )
                return redirect(url_for("people.listed"))
    else:
        form.values = {"full_name": person.full_name, "role": person.role} | (
            {"enabled": "1"} if person.enabled else {}
        )
    return _page("person.html", "people", form, person=person, roles=ROLES, shortest=SHORTEST_PASSWORD)


@people.post("/setup/people/<int:account_id>/password")
@needs(Right.PEOPLE)
def password(account_id: int) -> Answer:
    person, form = _found(account_id), Form()
    wanted = form.read(PasswordIn, {"password": request.form.get("password", "")})
    try:
        secret = reset(person, wanted) if wanted is not None else ""
    except Refused as refused:
        form.refuse(refused)
    if form.faults:
        form.values = {"full_name": person.full_name, "role": person.role} | (
            {"enabled": "1"} if person.enabled else {}
        )
        return _page("person.html", "people", form, person=person, roles=ROLES, shortest=SHORTEST_PASSWORD)
    if secret:
        return _page("person_secret.html", "people", name=person.name, secret=secret, account_id=person.id)
    flash(f"{person.name} has a new password and is signed out everywhere.", "good")
    return redirect(url_for("people.edit", account_id=account_id))


@people.route("/setup/tokens", methods=["GET", "POST"])
@needs(Right.PEOPLE)
def tokens() -> Answer:
    form, made = Form(), ""
    if request.method == "POST":
        form.values = request.form.to_dict()
        wanted = form.read(TokenIn, {key: form.values.get(key, "").strip() for key in ("account", "name")})
        if wanted is not None:
            try:
                made = make_token(parts(), wanted)
            except Refused as refused:
                form.refuse(refused)
    else:
        form.values = {"account": request.args.get("account", viewer().name)}
    return _page("tokens.html", "tokens", form, tokens=accounts().tokens(), people=find(), made=made)


@people.post("/setup/tokens/<int:token_id>/revoke")
@needs(Right.PEOPLE)
def revoke(token_id: int) -> AnyResponse:
    found = token(token_id)
    if found is None:
        abort(404)
    accounts().revoke_token(token_id)
    flash(f"The token {found.name} of {found.account} opens nothing any more.", "good")
    return redirect(url_for("people.tokens"))
