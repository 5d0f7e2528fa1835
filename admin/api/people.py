"""The API's accounts and tokens, for administrators."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, abort
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel

from admin import people
from admin.access import Right, needs, viewer
from admin.account import accounts
from admin.api.blueprints import ById, blueprint, conflict
from admin.api.shapes import MadeOut, answer
from admin.forms import Refused
from admin.parts import parts
from admin.people import NewPersonIn, PasswordIn, PersonIn, TokenIn
from engine.records.accounts import Person, Token

api_people = blueprint("api_people")
PEOPLE = Tag(name="People")


class PeopleOut(BaseModel):
    people: Sequence[Person]


class NewPersonOut(BaseModel):
    """`password` is there where it was made up: this once."""

    id: int
    password: str | None


class PasswordOut(BaseModel):
    password: str | None


class TokensOut(BaseModel):
    tokens: Sequence[Token]


class NewTokenOut(BaseModel):
    """The token, this once."""

    token: str


def _found(account_id: int) -> Person:
    found = people.get(account_id)
    if found is None:
        abort(404)
    return found


@api_people.get("/people", summary="All accounts", tags=[PEOPLE], responses={200: PeopleOut})
@needs(Right.PEOPLE)
def list_people() -> Response:
    return answer(PeopleOut(people=people.find()))


@api_people.post("/people", summary="Add an account", tags=[PEOPLE], responses={201: NewPersonOut})
@needs(Right.PEOPLE)
def add_person(body: NewPersonIn) -> Response:
    try:
        made, password = people.add(body)
    except Refused as refused:
        conflict(refused)
    return answer(NewPersonOut(id=made, password=password or None), 201)


@api_people.put("/people/<int:id>", summary="Change or disable an account", tags=[PEOPLE], responses={200: MadeOut})
@needs(Right.PEOPLE)
def change_person(path: ById, body: PersonIn) -> Response:
    try:
        people.change(_found(path.id).id, body, by=viewer().account_id)
    except Refused as refused:
        conflict(refused)
    return answer(MadeOut(id=path.id))


@api_people.post("/people/<int:id>/password", summary="Another password", tags=[PEOPLE], responses={200: PasswordOut})
@needs(Right.PEOPLE)
def reset_password(path: ById, body: PasswordIn) -> Response:
    try:
        return answer(PasswordOut(password=people.reset(_found(path.id), body) or None))
    except Refused as refused:
        conflict(refused)


@api_people.get("/tokens", summary="All tokens, without themselves", tags=[PEOPLE], responses={200: TokensOut})
@needs(Right.PEOPLE)
def list_tokens() -> Response:
    return answer(TokensOut(tokens=accounts().tokens()))


@api_people.post("/tokens", summary="Make a token", tags=[PEOPLE], responses={201: NewTokenOut})
@needs(Right.PEOPLE)
def make_token(body: TokenIn) -> Response:
    try:
        return answer(NewTokenOut(token=people.make_token(parts(), body)), 201)
    except Refused as refused:
        conflict(refused)


@api_people.delete("/tokens/<int:id>", summary="Revoke a token", tags=[PEOPLE])
@needs(Right.PEOPLE)
def revoke_token(path: ById) -> Response:
    if not accounts().revoke_token(path.id):
        abort(404)
    return Response(status=204)
