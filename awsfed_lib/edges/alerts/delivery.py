"""Brings an alert to its targets: a few tries each, with pauses, and never an exception: a run is not worse for its alert."""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import requests
from requests.utils import get_environ_proxies

from awsfed_lib.core.alerts import messages
from awsfed_lib.core.alerts.alert import Alert
from awsfed_lib.edges.alerts.targets import LOOPBACK, Mail, Targets, Webhook
from awsfed_lib.edges.entra.pace import Clock, retry_after

PAUSES = (1.0, 5.0, 20.0)  # seconds before another try; with those that a server asks for, never more than LONGEST
LONGEST = 30.0
TIMEOUT = (5.0, 15.0)
SUBMISSION, SMTPS = 587, 465
Tried = Callable[[], "Refused | None"]


class Refused(NamedTuple):
    """Why a try did not go through, in words without the address; `again` after how many seconds, None for never."""

    reason: str
    again: float | None = 0.0


class Delivered(NamedTuple):
    """What became of one target: `problem` is "" when it took the alert."""

    target: str
    tries: int
    problem: str = ""

    def __str__(self) -> str:
        return f"{self.target}: {f'not told, after {self.tries} tries: {self.problem}' if self.problem else 'told'}"


def deliver(alert: Alert, targets: Targets, clean: Callable[[Any], Any], *, clock: Clock = Clock()) -> list[Delivered]:  # noqa: B008  frozen
    """Bring `alert` to every target, once each; `clean` takes secrets out of everything that is sent."""
    return [_insisted(name, attempt, clock) for name, attempt in _attempts(alert, targets, clean, clock)]


def _attempts(alert: Alert, targets: Targets, clean: Callable[[Any], Any], clock: Clock) -> Iterator[tuple[str, Tried]]:
    for webhook in targets.webhooks:
        body = clean(messages.FORMATS[webhook.format](alert))
        yield webhook.name, lambda webhook=webhook, body=body: _posted(webhook, body, clock)  # type: ignore[misc]  # bound now
    for mail in targets.mails:
        subject, text = clean(list(messages.mail(alert)))
        written = _written(mail, subject, text)
        yield mail.name, lambda mail=mail, written=written: _sent(mail, written)  # type: ignore[misc]  # bound now


def _insisted(name: str, attempt: Tried, clock: Clock) -> Delivered:
    refused: Refused | None = None
    for tries, pause in enumerate((*PAUSES, 0.0), 1):
        refused = attempt()
        if refused is None:
            return Delivered(name, tries)
        if refused.again is None or tries > len(PAUSES):
            return Delivered(name, tries, refused.reason)
        clock.sleep(min(max(pause, refused.again), LONGEST))
    raise AssertionError(refused)  # the last pass of the loop returns


def _posted(webhook: Webhook, body: dict[str, Any], clock: Clock) -> Refused | None:
    try:
        with requests.Session() as session:
            session.trust_env = False  # no .netrc; proxies and authorities are taken from the environment by name
            session.proxies = {} if urlsplit(webhook.url).hostname in LOOPBACK else dict(get_environ_proxies(webhook.url))
            session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
            answer = session.post(webhook.url, json=body, timeout=TIMEOUT, allow_redirects=False)
    except (requests.RequestException, OSError, ValueError) as error:
        return Refused(f"no answer ({type(error).__name__})")
    if answer.status_code < 300:  # noqa: PLR2004  HTTP: success
        return None
    passing = answer.status_code in (408, 425, 429) or answer.status_code >= 500  # noqa: PLR2004  HTTP: may go better later
    return Refused(f"HTTP {answer.status_code}", (retry_after(answer.headers, clock.now()) or 0.0) if passing else None)


def _written(mail: Mail, subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = mail.sender, ", ".join(mail.to), subject
    message["Date"], message["Message-ID"] = formatdate(usegmt=True), make_msgid("awsfed")
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer from somebody who is away
    message.set_content(text)
    return message


def _sent(mail: Mail, message: EmailMessage) -> Refused | None:
    try:
        with _server(mail) as server:
            server.send_message(message)
    except smtplib.SMTPResponseException as error:
        lasting = 500 <= error.smtp_code < 600  # noqa: PLR2004  SMTP: a permanent refusal
        return Refused(f"SMTP {error.smtp_code}", None if lasting else 0.0)
    except smtplib.SMTPRecipientsRefused:
        return Refused("the server takes none of the recipients", None)
    except smtplib.SMTPNotSupportedError:
        return Refused("the server offers no STARTTLS, or no sign-in", None)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return Refused(f"no answer ({type(error).__name__})")
    return None


def _server(mail: Mail) -> smtplib.SMTP:
    """Connect, encrypt and sign in. Without TLS only to a server on this machine that asks for no password."""
    parts = urlsplit(mail.server)
    host, context = parts.hostname or "", ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE"))
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or SMTPS, timeout=TIMEOUT[1], context=context)
    else:
        server = smtplib.SMTP(host, parts.port or SUBMISSION, timeout=TIMEOUT[1])
    try:
        server.ehlo()
        if parts.scheme == "smtp" and (host not in LOOPBACK or parts.password or server.has_extn("starttls")):
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        server.close()
        raise
    return server
