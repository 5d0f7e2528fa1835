"""The API: whatever a page reads or changes, with the same checks and the same rights, as JSON with bearer tokens."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3.openapi import OpenAPI
from flask_wtf.csrf import CSRFProtect

from admin.access import Right, needs
from admin.api.callbacks import api_callbacks
from admin.api.hours import api_hours
from admin.api.music import api_music
from admin.api.people import api_people
from admin.api.prompts import prompts
from admin.api.reading import reading
from admin.api.reports import reports
from admin.api.ringing import ringing
from admin.api.routing import routing
from admin.api.setup import setup
from admin.api.skills import skills
from admin.flows.views import flows_api


def register(app: OpenAPI, csrf: CSRFProtect) -> None:
    """Add the API and its description, `/openapi/openapi.json`. A token is no cookie, so no browser can be tricked into
    sending it."""
    for blueprint in (
        reading,
        api_callbacks,
        reports,
        ringing,
        routing,
        setup,
        skills,
        api_hours,
        flows_api,
        api_people,
        prompts,
        api_music,
    ):
        app.register_api(blueprint)
        csrf.exempt(blueprint)

    @needs(Right.ANYONE)
    def described() -> Response:
        return jsonify(app.api_doc)

    app.add_url_rule("/openapi/openapi.json", "openapi", described)
