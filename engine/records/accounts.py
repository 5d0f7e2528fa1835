"""Accounts: who may sign in, with a password or a token, and in which role."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar, cast, get_args

import argon2
import gevent
import peewee

from conf.database import Database
from conf.errors import PointsmanError
from engine.records.tables import Account, ApiToken

Result = TypeVar("Result")
Role = Literal["admin", "supervisor", "analyst", "agent"]
ROLES: tuple[Role, ...] = get_args(Role)
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 512
"""Hashing more than this costs an attacker nothing and us time."""
TOKEN_PREFIX = "pm_"  # noqa: S105  # tells whose token it is where one leaks


class AccountRefused(PointsmanError):
    """An account, password or token that cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in. `session_key` changes with the password: a session that carries another one has ended."""

    id: int
    name: str
    full_name: str
    role: Role
    session_key: str


@dataclass(frozen=True, slots=True)
class Person:
    """An account as those see it who look after accounts. `agent` and `extension` are None where it belongs to no agent."""

    id: int
    name: str
    full_name: str
    role: Role
    enabled: bool
    agent: str | None = None
    extension: str | None = None
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token as it is known afterwards: never the token itself."""

    id: int
    account: str
    role: Role
    enabled: bool
    """Whether the account may sign in; the token of one that may not opens nothing."""
    name: str
    created_at: datetime
    last_used_at: datetime | None


class Accounts:
    """Accounts in the database behind `db`. Hashing takes a tenth of a second, in the hub's thread pool, never in the loop."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._hasher = argon2.PasswordHasher()
        self._decoy = self._hasher.hash(secrets.token_hex(16))

    def sign_in(self, name: str, password: str) -> SignedIn | None:
        """The account of that name and password where it is enabled, otherwise None, after the same time either way."""
        with self._db.connection_context():
            account = Account.get_or_none(Account.name == name) if "\0" not in name else None
        known = account.password_hash if account is not None else self._decoy
        matches = len(password) <= LONGEST_PASSWORD and self._in_thread(self._verify, known, password)
        if account is None or not matches or not account.enabled:
            return None
        if self._hasher.check_needs_rehash(known):
            renewed = self._in_thread(self._hasher.hash, password)
            with self._db.connection_context():
                Account.update(password_hash=renewed).where(
                    Account.id == account.id, Account.password_hash == known
                ).execute()
        return _signed_in(account)

    def by_session(self, account_id: int, session_key: str) -> SignedIn | None:
        """The account that a session was made for; None once it is disabled, gone, or has another password."""
        with self._db.connection_context():
            account = Account.get_or_none(Account.id == account_id, Account.enabled)
        if account is None or not secrets.compare_digest(str(account.session_key), session_key):
            return None
        return _signed_in(account)

    def by_token(self, token: str, now: datetime) -> SignedIn | None:
        """The account that a bearer token belongs to. Its last use is kept to the minute."""
        with self._db.connection_context():
            found = (
                ApiToken.select(ApiToken, Account)
                .join(Account)
                .where(ApiToken.token_hash == _token_hash(token), Account.enabled)
                .first()
            )
            if found is None:
                return None
            if found.last_used_at is None or (now - found.last_used_at).total_seconds() >= 60:
                ApiToken.update(last_used_at=now).where(ApiToken.id == found.id).execute()
        return _signed_in(found.account)

    def add(self, name: str, password: str, role: Role, full_name: str = "") -> int:
        """Make an account; its id. AccountRefused."""
        if not name.strip() or name != name.strip() or not name.isprintable():
            raise AccountRefused(f"{name!r} is no account name: it must not be empty nor begin or end with a space")
        if role not in ROLES:
            raise AccountRefused(f"{role!r} is no role; the roles are {', '.join(ROLES)}")
        hashed = self.hash(password)
        try:
            with self._db.connection_context(), self._db.atomic():
                made = Account.create(
                    name=name, full_name=full_name, role=role, password_hash=hashed, session_key=secrets.token_hex(16)
                )
        except peewee.IntegrityError as error:
            raise AccountRefused(f"there is an account {name!r} already") from error
        return int(made.id)

    def people(self) -> list[Person]:
        """All accounts by name."""
        with self._db.connection_context():
            rows = self._db.execute_sql(
                "SELECT a.id, a.name, a.full_name, a.role, a.enabled, g.name, g.extension, "
                "(SELECT count(*) FROM api_token t WHERE t.account_id = a.id) "
                "FROM account a LEFT JOIN agent g ON g.account_id = a.id ORDER BY lower(a.name)"
            ).fetchall()
        return [Person(*row) for row in rows]

    def change(self, account_id: int, *, full_name: str, role: Role, enabled: bool) -> None:
        """Change what an account is called and may do, from its next request on. AccountRefused where it is gone, and where
        nobody would be left who may set anything up."""
        if role not in ROLES:
            raise AccountRefused(f"{role!r} is no role; the roles are {', '.join(ROLES)}")
        with self._db.connection_context(), self._db.atomic():
            # Two administrators who take each other's rights away at once must not both succeed.
            admins = Account.select(Account.id).where(Account.role == "admin", Account.enabled).for_update()
            others = [row.id for row in admins if row.id != account_id]
            if not others and not (role == "admin" and enabled):
                raise AccountRefused("this is the last administrator; make another one first")
            changed = (
                Account.update(full_name=full_name, role=role, enabled=enabled)
                .where(Account.id == account_id)
                .execute()
            )
        if not changed:
            raise AccountRefused("there is no such account any more")

    def tokens(self) -> list[Token]:
        """All tokens, those of one account together, the newest first."""
        with self._db.connection_context():
            rows = self._db.execute_sql(
                "SELECT t.id, a.name, a.role, a.enabled, t.name, t.created_at, t.last_used_at "
                "FROM api_token t JOIN account a ON a.id = t.account_id ORDER BY lower(a.name), t.created_at DESC, t.id"
            ).fetchall()
        return [Token(*row) for row in rows]

    def revoke_token(self, token_id: int) -> bool:
        """End a token; whether there was one."""
        with self._db.connection_context():
            return bool(ApiToken.delete().where(ApiToken.id == token_id).execute())

    def set_password(self, name: str, password: str) -> None:
        """Give the account another password, which ends its sessions. AccountRefused."""
        hashed = self.hash(password)
        with self._db.connection_context():
            changed = (
                Account.update(password_hash=hashed, session_key=secrets.token_hex(16))
                .where(Account.name == name)
                .execute()
            )
        if not changed:
            raise AccountRefused(f"there is no account {name!r}")

    def add_token(self, account_name: str, token_name: str, now: datetime) -> str:
        """Make a bearer token for the account. This is the only time that it can be read. AccountRefused."""
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        with self._db.connection_context():
            account = Account.get_or_none(Account.name == account_name)
            if account is None:
                raise AccountRefused(f"there is no account {account_name!r}")
            ApiToken.create(account=account, name=token_name, token_hash=_token_hash(token), created_at=now)
        return token

    def hash(self, password: str, *, shortest: int = SHORTEST_PASSWORD) -> str:
        """The hash that is kept of a password. AccountRefused where it is too short or too long."""
        if len(password) < shortest:
            raise AccountRefused(f"the password has {len(password)} characters; {shortest} is the least")
        if len(password) > LONGEST_PASSWORD:
            raise AccountRefused(f"the password has {len(password)} characters; {LONGEST_PASSWORD} is the most")
        return self._in_thread(self._hasher.hash, password)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    @staticmethod
    def _in_thread(work: Callable[..., Result], *arguments: object) -> Result:
        return gevent.get_hub().threadpool.apply(work, arguments)


def _signed_in(account: Account) -> SignedIn:
    return SignedIn(
        int(account.id), str(account.name), str(account.full_name), cast(Role, account.role), str(account.session_key)
    )


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
