"""The application: every page and the API on one Flask app, from parts that are handed in."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from flask import Flask, Response, flash, g, jsonify, redirect, render_template, request, url_for
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, current_user
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from flask_wtf.csrf import CSRFError, CSRFProtect
from peewee import DataError, InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from admin import (
    access,
    api,
    audio,
    blocked,
    callbacks,
    calls,
    desk,
    dry_run,
    groups,
    health,
    ivr_reports,
    live,
    messages,
    navigation,
    pauses,
    people,
    queues,
    ring_groups,
    security,
    skill_matrix,
    survey_report,
    words,
)
from admin import account as account_pages
from admin import agents as agent_pages
from admin import numbers as number_pages
from admin.access import Right, Viewer
from admin.assets import Assets
from admin.board import Boards, moment
from admin.flows import pages as flow_pages
from admin.flows.views import DATA, flows_data
from admin.hours import overview as hours_overview
from admin.hours import pages as hours_pages
from admin.parts import EXTENSION, Parts
from admin.prompts import music as music_pages
from admin.prompts import pages as prompt_pages
from admin.prompts import shelf
from conf.database import DatabaseUnreachable
from conf.installation import secret
from dialplan.numbers import display
from engine.live.connection import RedisError
from engine.records.accounts import Accounts

SIGN_INS_FROM_ONE_PLACE = "30 per minute"
SIGN_INS_FOR_ONE_NAME = "10 per 5 minutes"
"""Only those that failed are counted."""
FOLDER = Path(__file__).parent
API = "/api/"
_AWAY = (OperationalError, InterfaceError, DatabaseUnreachable, RedisError)


def create_app(parts: Parts) -> Flask:
    """The application. `parts.feed` is started and stopped by whoever serves it."""
    app = OpenAPI(
        "admin",
        info=Info(title="Pointsman", version="1"),
        security_schemes={"token": {"type": "http", "scheme": "bearer"}},
        doc_ui=False,
        static_folder=None,
        root_path=str(FOLDER),
        template_folder="templates",
    )
    app.config.update(
        SECRET_KEY=secret(parts.settings.home, "session_key"),
        SESSION_COOKIE_NAME=f"pointsman_{parts.settings.http.port}",  # cookies of one host are shared by all its ports
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=14),
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        MAX_CONTENT_LENGTH=1024 * 1024,
        JSON_SORT_KEYS=False,
    )
    app.session_interface = security.Sessions()
    app.extensions[EXTENSION] = parts
    app.extensions["pointsman.boards"] = Boards(parts)
    app.extensions["pointsman.accounts"] = Accounts(parts.db)
    app.extensions[shelf.EXTENSION] = shelf.Shelf(parts)
    assets = Assets(FOLDER / "static")
    _sign_in(app, parts)
    for blueprint in (
        assets.blueprint(),
        account_pages.account,
        desk.desk,
        live.live,
        calls.calls,
        audio.audio,
        messages.messages,
        callbacks.callbacks,
        number_pages.numbers,
        hours_pages.hours,
        queues.queues,
        dry_run.dry_run,
        groups.groups,
        blocked.blocked,
        skill_matrix.matrix,
        agent_pages.agents,
        prompt_pages.prompts,
        flow_pages.flows,
        music_pages.music,
        ivr_reports.ivr_reports,
        survey_report.surveys,
        people.people,
        pauses.pauses,
        ring_groups.ring_groups,
        health.health,
    ):
        app.register_blueprint(blueprint)
    app.add_url_rule("/metrics", "metrics", health.metrics_view(health.registry(parts)))
    api.register(app, CSRFProtect(app))
    app.register_api(flows_data)
    _limit(app, parts)
    _faults(app)
    _templates(app, parts, assets)
    app.after_request(security.compress)
    app.after_request(security.protect)
    app.teardown_appcontext(lambda _: None if parts.db.is_closed() else parts.db.close())
    return app


def _sign_in(app: Flask, parts: Parts) -> None:
    manager = LoginManager(app)
    manager.session_protection = None
    manager.user_loader(account_pages.load_user)

    @app.before_request
    def let_through() -> None:
        if request.endpoint is None or (
            access.right_of(request.endpoint) is Right.ANYONE and request.endpoint != "metrics"
        ):
            g.viewer = None
            return
        access.check(_who(parts))


def _who(parts: Parts) -> Viewer | None:
    """Who asks: by bearer token for the API and for figures, by session for pages."""
    if request.path.startswith(API) or request.authorization is not None:
        given = request.authorization
        if given is None or given.type != "bearer" or not given.token:
            return None
        found = account_pages.accounts().by_token(given.token, parts.clock.now())
        return account_pages.as_viewer(parts, found) if found else None
    if isinstance(current_user._get_current_object(), account_pages.User):
        return account_pages.as_viewer(parts, current_user.signed_in)
    return None


def _limit(app: Flask, parts: Parts) -> None:
    limiter = Limiter(
        get_remote_address,
        app=app,
        storage_uri=parts.settings.redis_url,
        storage_options={"protocol": 2, "socket_timeout": 3, "socket_connect_timeout": 3},
        in_memory_fallback_enabled=True,
        key_prefix="limit",
    )

    def failed(response: Response) -> bool:
        return response.status_code == 401

    view: Any = app.view_functions["account.sign_in"]
    view = limiter.limit(SIGN_INS_FROM_ONE_PLACE, methods=["POST"], deduct_when=failed)(view)
    view = limiter.limit(
        SIGN_INS_FOR_ONE_NAME,
        key_func=lambda: "name:" + request.form.get("name", "")[:100].lower(),
        methods=["POST"],
        deduct_when=failed,
    )(view)
    app.view_functions["account.sign_in"] = view


def _faults(app: Flask) -> None:
    log = structlog.get_logger("admin")

    def answer(status: int, title: str, said: str, reference: str = "") -> AnyResponse:
        if request.path.startswith((API, DATA)):
            body: dict[str, str] = {"error": title, "detail": said} | ({"reference": reference} if reference else {})
            answered = jsonify(body)
            answered.status_code = status
            if status == 401:
                answered.headers["WWW-Authenticate"] = "Bearer"
            return answered
        return Response(
            render_template("fault.html", title=title, said=said, reference=reference), status, mimetype="text/html"
        )

    @app.errorhandler(HTTPException)
    def refused(fault: HTTPException) -> AnyResponse:
        code = fault.code or 500
        if fault.response is not None or code < 400:
            return fault.get_response()
        if code == 401 and not request.path.startswith(API):
            apart = request.path == "/stream" or request.path.startswith(DATA)
            wants_page = request.method == "GET" and "HX-Request" not in request.headers and not apart
            if wants_page and request.endpoint != "metrics":
                return redirect(url_for("account.sign_in", next=request.full_path.removesuffix("?")))
        title, said = _SAID.get(code, ("That did not work", fault.description or ""))
        if code == 413:
            said = f"What was sent is larger than {(request.max_content_length or 0) / 2**20:g} MB."
        spoken = code in (400, 409) and fault.description
        return answer(code, title, str(fault.description) if spoken else said)

    @app.errorhandler(CSRFError)
    def stale(fault: CSRFError) -> AnyResponse:  # noqa: ARG001
        if request.endpoint == "account.sign_in":
            flash("Please try again; the page had been open for long.", "bad")
            return redirect(url_for("account.sign_in", next=account_pages.inside(request.form.get("next", ""))))
        return answer(400, "This page was too old", "Nothing was changed. Go back, reload the page and try again.")

    def away(fault: Exception) -> AnyResponse:
        reference = secrets.token_hex(4)
        log.error("a part is away", reference=reference, path=request.path, error=str(fault))
        said = "The database or Redis does not answer. Calls go on and their records are kept; try again in a moment."
        return answer(503, "Not to be reached just now", said, reference)

    for kind in _AWAY:
        app.register_error_handler(kind, away)

    @app.errorhandler(Exception)
    def broken(fault: Exception) -> AnyResponse:
        # What Postgres cannot hold: a character of code 0, a number beyond all.
        if isinstance(fault, DataError) or (isinstance(fault, ValueError) and "NUL (0x00)" in str(fault)):
            said = "What was sent holds a number or a character that the database does not take. Nothing was changed."
            return answer(400, "This cannot be kept", said)
        reference = secrets.token_hex(4)
        log.error("a page broke", reference=reference, path=request.path, exc_info=fault)
        return answer(
            500, "This page broke", "Calls are not touched by it. Tell your administrator the reference.", reference
        )


_SAID: Mapping[int, tuple[str, str]] = {
    400: ("This address cannot be read", "Go back and try again."),
    401: ("Not signed in", "Sign in, or send a valid token."),
    403: ("Not for your role", "Your role does not allow this. An administrator can change that."),
    404: ("Not here", "There is nothing at this address, or it is not yours to see."),
    405: ("Not that way", "This address does not take that kind of request."),
    409: ("Not as things stand", "What was asked for does not fit what is there."),
    413: ("Too large", "What was sent is larger than is taken here."),
    429: ("Too many attempts", "Wait a few minutes, then try again."),
}


def _templates(app: Flask, parts: Parts, assets: Assets) -> None:
    zone, country = parts.settings.zone, parts.settings.country
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals |= {
        "asset": assets.address,
        "words": words,
        "right": Right,
        "now": parts.clock.now,
        "factor": parts.clock.factor,
        "zone": parts.settings.timezone,
    }

    def day(at: datetime) -> date:
        return at.astimezone(zone).date()

    app.jinja_env.filters |= {
        "length_of": words.length,
        "length_or_nothing": lambda seconds: words.length(seconds) if seconds else "–",
        "spoken_length": words.spoken_length,
        "prompt_length": shelf.prompt_length,
        "language_name": shelf.language_name,
        "phone": lambda number: display(str(number or ""), country),
        "clock": lambda at: words.clock_time(at, zone),
        "clock_s": lambda at: words.clock_time(at, zone, seconds=True),
        "exact": lambda at: words.instant(at, zone),
        "when": lambda at: words.when(at, parts.clock.now(), zone),
        "last_day": lambda end: day(end - timedelta(microseconds=1)),
        "ago": lambda at: words.ago(at, parts.clock.now(), zone),
        "day": day,
        "day_name": lambda found: words.day_name(found, day(parts.clock.now())),
        "instant": moment,
        "pair": lambda value: (value, value),
        "day_short": lambda found: f"{found:%a} {found.day} {found:%b %Y}",
        "opens": lambda at, now: f"{at:%H:%M}" if at.date() == now.date() else f"{at:%A} {at.day} {at:%B, %H:%M}",
    }

    @app.context_processor
    def for_every_page() -> dict[str, Any]:
        """What only whole pages ask for is a function, so that a piece of a page, and above all the page that says that the
        database is away, asks nobody."""
        who = g.get("viewer")
        common: dict[str, Any] = {"looks": account_pages.read_looks(), "place_key": ""}
        if not isinstance(who, Viewer):
            return common
        return common | {
            "viewer": who,
            "navigation": list(navigation.for_viewer(who)),
            "closed_by_hand": lambda: hours_overview.banners(parts),
            "pause_reasons": lambda: app.extensions["pointsman.boards"].pauses(),
            "own_state_now": lambda: desk.own_state(parts, who),
            "unheard_messages": lambda: messages.count(parts, who, new=True) if who.may(Right.SEE_CALLS) else 0,
        }
