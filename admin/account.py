"""Signing in and out, the own password, and how the pages look for this browser."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, session, url_for
from flask_login import UserMixin, login_user, logout_user
from werkzeug.wrappers import Response as AnyResponse

from admin.access import Right, Viewer, needs, viewer
from admin.forms import Form, sentence
from admin.navigation import first
from admin.parts import Parts
from admin.security import over_https
from engine.records.accounts import AccountRefused, Accounts, SignedIn

account = Blueprint("account", __name__)

SHORTEST_PASSWORD = 10
THEMES = ("auto", "light", "dark")
DENSITIES = ("comfortable", "compact")
LOOKS_COOKIE = "pointsman_looks"
YEAR = 365 * 24 * 3600


class User(UserMixin):  # type: ignore[misc]  # Flask-Login comes without types
    """What Flask-Login keeps in the session: the account's id and its session key, so that a new password ends it."""

    def __init__(self, signed_in: SignedIn) -> None:
        self.signed_in = signed_in

    def get_id(self) -> str:
        return f"{self.signed_in.id}:{self.signed_in.session_key}"


def accounts() -> Accounts:
    found = current_app.extensions["pointsman.accounts"]
    assert isinstance(found, Accounts)
    return found


def load_user(said: str) -> User | None:
    """The user of a session's id, None where it is no more."""
    account_id, _, key = said.partition(":")
    if not account_id.isdigit():
        return None
    found = accounts().by_session(int(account_id), key)
    return User(found) if found else None


def as_viewer(parts: Parts, signed_in: SignedIn) -> Viewer:
    """The account together with the agent it belongs to."""
    row = parts.db.execute_sql("SELECT id, extension FROM agent WHERE account_id = %s", (signed_in.id,)).fetchone()
    agent_id, extension = row or (None, None)
    return Viewer(signed_in.id, signed_in.name, signed_in.full_name, signed_in.role, agent_id, extension)


def inside(address: str) -> str:
    """The address if it is a path of ours, otherwise nothing, so that nobody is sent elsewhere after signing in."""
    plain = address.startswith("/") and not address.startswith("//") and "\\" not in address
    return address if plain and address.isprintable() else ""


@account.get("/")
@needs(Right.SIGNED_IN)
def home() -> AnyResponse:
    return redirect(url_for(first(viewer()).endpoint))


@account.route("/sign-in", methods=["GET", "POST"])
@needs(Right.ANYONE)
def sign_in() -> AnyResponse | str:
    form, wanted = Form(), inside(request.values.get("next", ""))
    if request.method == "POST":
        form.values = {"name": request.form.get("name", "")}
        found = accounts().sign_in(form.values["name"], request.form.get("password", ""))
        if found is not None:
            session.clear()
            session.permanent = True
            login_user(User(found))
            return redirect(wanted or url_for("account.home"))
        form.faults[""] = "User name and password do not fit together."
        return Response(render_template("sign_in.html", form=form, next=wanted), 401, mimetype="text/html")
    return render_template("sign_in.html", form=form, next=wanted)


@account.post("/sign-out")
@needs(Right.SIGNED_IN)
def sign_out() -> AnyResponse:
    logout_user()
    session.clear()
    return redirect(url_for("account.sign_in"))


@account.route("/account/password", methods=["GET", "POST"])
@needs(Right.SIGNED_IN)
def password() -> AnyResponse | str:
    form, who = Form(), viewer()
    if request.method == "POST":
        wanted = request.form.get("wanted", "")
        if len(wanted) < SHORTEST_PASSWORD:
            form.faults["wanted"] = f"The new password needs {SHORTEST_PASSWORD} characters or more."
        if wanted != request.form.get("again", ""):
            form.faults["again"] = "The two new passwords differ."
        if not form.faults and accounts().sign_in(who.name, request.form.get("present", "")) is None:
            form.faults["present"] = "The present password is not right."
        if not form.faults:
            try:
                accounts().set_password(who.name, wanted)
            except AccountRefused as refused:
                form.faults["wanted"] = sentence(str(refused))
        if not form.faults:
            renewed = accounts().sign_in(who.name, wanted)
            if renewed is not None:
                login_user(User(renewed))
            flash("The password is changed. Other browsers are signed out.", "good")
            return redirect(url_for("account.home"))
    page = render_template("password.html", form=form, place_key="")
    return Response(page, 422, mimetype="text/html") if form.faults else page


@account.post("/account/looks")
@needs(Right.SIGNED_IN)
def looks() -> AnyResponse:
    """Keep theme and density in this browser."""
    present = read_looks()
    theme, density = request.form.get("theme"), request.form.get("density")
    theme = theme if theme in THEMES else present["theme"]
    density = density if density in DENSITIES else present["density"]
    answer = redirect(inside(request.form.get("next", "")).removesuffix("?") or url_for("account.home"))
    answer.set_cookie(
        LOOKS_COOKIE, f"{theme}.{density}", max_age=YEAR, httponly=True, samesite="Lax", secure=over_https()
    )
    return answer


def read_looks() -> dict[str, str]:
    theme, _, density = request.cookies.get(LOOKS_COOKIE, "").partition(".")
    return {
        "theme": theme if theme in THEMES else THEMES[0],
        "density": density if density in DENSITIES else DENSITIES[0],
    }
