"""Where alerts go: from the environment or from a file beside the other secrets, never from a parameter.

The address of a webhook is its password: whoever has it may post. So it is not shown, not recorded, and not given to a
kernel; a file that others may read is refused.

    AWSFED_ALERT_TEAMS, AWSFED_ALERT_SLACK, AWSFED_ALERT_JSON   https addresses, with blanks between them
    AWSFED_ALERT_SMTP       smtp://host:587 (STARTTLS) or smtps://host:465, with user and password in front of the host
    AWSFED_ALERT_FROM, AWSFED_ALERT_TO                           addresses, those of TO with commas between them
    AWSFED_ALERT_ON         failure,findings,drift,expiry,waiting; all of them by default
    AWSFED_ALERT_FILE       a TOML file with the same names in small letters without the prefix, and lists where there are several
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from awsfed_lib.core.alerts.alert import OCCASIONS
from awsfed_lib.core.alerts.messages import FORMATS
from awsfed_lib.core.errors import ParameterError

PREFIX = "AWSFED_ALERT_"
NAMES = (*FORMATS, "smtp", "from", "to", "on", "file")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, repr=False)
class Webhook:
    """An address that takes a POST, and the format that it understands."""

    format: str
    url: str

    @property
    def name(self) -> str:
        """For people: the host alone."""
        return f"{self.format} at {urlsplit(self.url).hostname}"

    def __repr__(self) -> str:
        return f"Webhook({self.name})"


@dataclass(frozen=True, repr=False)
class Mail:
    """A server that takes mail, its sender, and who gets it."""

    server: str
    sender: str
    to: tuple[str, ...]

    @property
    def name(self) -> str:
        """For people: the host, and to how many."""
        return f"mail by {urlsplit(self.server).hostname} to {len(self.to)}"

    def __repr__(self) -> str:
        return f"Mail({self.name})"


@dataclass(frozen=True)
class Targets:
    """Where alerts go, and on which occasions."""

    webhooks: tuple[Webhook, ...] = ()
    mails: tuple[Mail, ...] = ()
    on: frozenset[str] = frozenset(OCCASIONS)

    def __bool__(self) -> bool:
        return bool(self.webhooks or self.mails)

    @property
    def secrets(self) -> frozenset[str]:
        """What of them is secret: whole addresses, and passwords."""
        passwords = {urlsplit(mail.server).password or "" for mail in self.mails}
        return frozenset({webhook.url for webhook in self.webhooks} | passwords) - {""}


def targets(environment: Mapping[str, str]) -> Targets:
    """Return the targets that the environment names. Raises ParameterError, which repeats no address."""
    given = {name.removeprefix(PREFIX).lower(): value for name, value in environment.items() if name.startswith(PREFIX) and value}
    said: dict[str, Any] = {**_file(given.pop("file")), **given} if "file" in given else dict(given)
    unknown = sorted(set(said) - set(NAMES))
    if unknown:
        raise _wrong(
            f"{PREFIX}{unknown[0].upper()} is none of them", f"There are {', '.join(f'{PREFIX}{name.upper()}' for name in NAMES)}."
        )
    webhooks = tuple(Webhook(kind, _address(kind, url)) for kind in FORMATS for url in _listed(said.get(kind, ()), " "))
    return Targets(webhooks, _mails(said), _occasions(_listed(said.get("on", ()), ",")))


def without(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process that has nothing to do with alerts: a kernel."""
    return {name: value for name, value in environment.items() if not name.startswith(PREFIX)}


def _file(name: str) -> dict[str, Any]:
    path = Path(name).expanduser()
    try:
        if os.name == "posix" and path.stat().st_mode & _OTHERS:
            raise _wrong("the file of alerts can be read by others", f"chmod 600 {path}")
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _wrong(f"the file of alerts cannot be read ({error.strerror})", f"Correct {PREFIX}FILE.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise _wrong("the file of alerts is no TOML", 'Write lines such as teams = ["https://…"].') from None
    return said


def _listed(value: object, between: str) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part for raw in value.split(between) if (part := raw.strip()))
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        return tuple(value)
    raise _wrong("a value is neither text nor a list of texts", "Quote it.")


def _address(kind: str, url: str) -> str:
    """Return a webhook's address when a secret may go there: over TLS, or to this machine."""
    parts = urlsplit(url)
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise _wrong(f"an address for {kind} is not https", "Copy it whole from the workflow or the app that made it.")
    return url


def _mails(said: Mapping[str, Any]) -> tuple[Mail, ...]:
    servers = _listed(said.get("smtp", ()), " ")
    sender, to = "".join(_listed(said.get("from", ""), ",")), _listed(said.get("to", ()), ",")
    if servers and not (sender and to):
        raise _wrong("mail needs a sender and somebody who gets it", f"Set {PREFIX}FROM and {PREFIX}TO.")
    for server in servers:
        parts = urlsplit(server)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise _wrong(
                "the mail server is no smtp:// or smtps:// address", "Write smtp://host:587, with user and password before the host."
            )
    return tuple(Mail(server, sender, to) for server in servers)


def _occasions(names: tuple[str, ...]) -> frozenset[str]:
    strange = sorted(set(names) - set(OCCASIONS))
    if strange:
        raise _wrong(f"there is no occasion {strange[0][:40]!r}", f"There are {', '.join(OCCASIONS)}.")
    return frozenset(names or OCCASIONS)


def _wrong(what: str, remedy: str) -> ParameterError:
    return ParameterError(f"Alerts are set up wrongly: {what}.", where="the environment", remedy=remedy)
