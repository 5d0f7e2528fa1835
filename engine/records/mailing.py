"""E-mails that flows have asked for: sent in the background, however long it takes a mail server to take them.

What is to be sent stands in the table `outgoing_mail`, whither the journals bring it. Every engine process looks there and
takes what is due, one e-mail at a time and each by one process alone. A process that dies between a server's yes and its own
note of it leaves an e-mail to be sent twice, under the same Message-ID.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from logging import ERROR, WARNING
from typing import Any, Final, Literal

import gevent
import peewee
import structlog

from conf.clock import Clock
from conf.database import Database, raw_connection
from conf.settings import Settings

LOOK_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 20.0
PAUSES: Final = (60, 300, 900, 3600, 4 * 3600, 12 * 3600)
"""Seconds after which a failed e-mail is tried again; after the last one it is given up."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where e-mails are handed in, and from whom they are."""

    host: str
    port: int
    sender: str
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = ""

    @classmethod
    def of(cls, settings: Settings) -> MailServer | None:
        """The one that is set up; None where none is."""
        if settings.smtp_server is None or not settings.smtp_from:
            return None
        return cls(
            settings.smtp_server.host,
            settings.smtp_server.port,
            settings.smtp_from,
            settings.smtp_security,
            settings.smtp_user,
            "" if settings.smtp_password is None else settings.smtp_password.get_secret_value(),
        )

    def send(self, message: EmailMessage) -> None:
        """Hand it in. OSError or smtplib.SMTPException where it was not taken."""
        context = ssl.create_default_context() if self.security != "none" else None
        if self.security == "tls":
            client: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=ANSWER_SECONDS, context=context)
        else:
            client = smtplib.SMTP(self.host, self.port, timeout=ANSWER_SECONDS)
        with client:
            if self.security == "starttls":
                client.starttls(context=context)
            if self.user:
                client.login(self.user, self.password)
            client.send_message(message)


def mails_unsent(url: str) -> tuple[int, int, str]:
    """How many e-mails wait, how many were given up in the last week, and why the last one was. psycopg2.Error passes."""
    connection = raw_connection(url, name="pointsman doctor", statement_seconds=10)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_UNSENT)
            waiting, given_up, fault = cursor.fetchone()
            return int(waiting), int(given_up), fault or ""
    finally:
        connection.close()


_UNSENT: Final = """
SELECT count(*) FILTER (WHERE given_up_at IS NULL AND sent_at IS NULL),
    count(*) FILTER (WHERE given_up_at > now() - interval '7 days'),
    (array_agg(fault ORDER BY given_up_at DESC NULLS LAST))[1]
FROM outgoing_mail WHERE sent_at IS NULL"""


def composed(
    mail_id: str, sender: str, recipients: Sequence[str], subject: str, body: str, asked_at: datetime
) -> EmailMessage:
    """The e-mail. ValueError for what cannot stand in a header, a line's end above all."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message["Subject"] = subject
    message["Date"] = format_datetime(asked_at)
    message["Message-ID"] = make_msgid(idstring=mail_id, domain=sender.rpartition("@")[2].strip(" >") or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    return message


_TAKE: Final = """
UPDATE outgoing_mail SET tries = tries + 1, next_try_at = now() + (%s::integer[])[least(tries + 1, 6)] * interval '1 second'
WHERE id = (
    SELECT id FROM outgoing_mail WHERE sent_at IS NULL AND given_up_at IS NULL AND next_try_at <= now()
    ORDER BY next_try_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id::text, recipients, subject, body, asked_at, tries"""


class Mailing:
    """Sends what waits. `start` it with the process, and `stop` it."""

    def __init__(self, db: Database, server: MailServer | None, clock: Clock) -> None:
        self._db = db
        self._server = server
        self._clock = clock
        self._runs: gevent.Greenlet[..., None] | None = None

    @property
    def set_up(self) -> bool:
        """Whether there is a server to send by."""
        return self._server is not None

    def start(self) -> None:
        if self._server is not None:
            self._runs = gevent.spawn(self._run)

    def stop(self) -> None:
        if self._runs is not None:
            self._runs.kill()

    def send_waiting(self) -> int:
        """Send what is due now; how many were tried. Database errors pass."""
        tried = 0
        while self._server is not None and self._send_one(self._server):
            tried += 1
        return tried

    def _run(self) -> None:
        while True:
            try:
                self.send_waiting()
            except peewee.PeeweeException as error:
                log.warning("e-mails wait, the database does not answer", error=" ".join(str(error).split()))
            gevent.sleep(LOOK_SECONDS)

    def _send_one(self, server: MailServer) -> bool:
        """Send the e-mail that has been due for longest; False where none is. It is booked for its next try before this one, so
        that no transaction is open while a mail server thinks, and a process that dies over it loses nothing."""
        with self._db.connection_context():
            row = self._db.execute_sql(_TAKE, (list(PAUSES),)).fetchone()
            if row is None:
                return False
        mail_id, *content, tries = row
        fault, final = self._attempt(server, mail_id, content)
        given_up = bool(fault) and (final or tries > len(PAUSES))
        if fault:
            log.log(ERROR if given_up else WARNING, "e-mail not sent", mail=mail_id, why=fault, given_up=given_up)
        now = self._clock.now()
        with self._db.connection_context():
            self._db.execute_sql(
                "UPDATE outgoing_mail SET sent_at = %s, given_up_at = %s, fault = %s WHERE id = %s",
                (None if fault else now, now if given_up else None, fault, mail_id),
            )
        return True

    @staticmethod
    def _attempt(server: MailServer, mail_id: str, content: Sequence[Any]) -> tuple[str, bool]:
        """Why it was not sent, empty where it was, and whether it never will be."""
        recipients, subject, body, asked_at = content
        try:
            server.send(composed(mail_id, server.sender, recipients, subject, body, asked_at))
        except ValueError as error:
            return f"it cannot be put together: {error}", True
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            return f"the server takes it for none of them: {error.recipients}"[:500], all(code >= 500 for code in codes)
        except smtplib.SMTPResponseException as error:
            reply = (
                error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
            )
            # A refused sender, password or content may be mended in the settings; the e-mail is worth the wait.
            return f"{error.smtp_code} {' '.join(str(reply).split())}"[:500], False
        except (OSError, smtplib.SMTPException) as error:
            return " ".join(str(error).split())[:500] or type(error).__name__, False
        return "", False
