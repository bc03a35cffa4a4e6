"""The calls to Microsoft Graph and the permissions of each, as `graph_permissions.yml` lists them: pure functions over its rows."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from awsfed_lib.core.errors import ParameterError

OWNER = "@owner"
APPLICATION, DELEGATED = "application", "delegated"
SHOWS = frozenset({"accountEnabled", "userPrincipalName", "userType"})  # of a user, only with the permissions of user.full
_PATHS = re.compile(r"([A-Z]+(?:, [A-Z]+)*) (/.*)")
_KEY = re.compile(r"\(\w+=[^)]*\)")
Alternatives = tuple[frozenset[str], ...]


class Call(NamedTuple):
    """One row of the table. Alternatives, least privilege first, none at all: any valid token. `role`: kind of directory role, or ""."""

    id: str
    call: str
    application: Alternatives
    delegated: Alternatives
    unsure: Alternatives
    role: str

    def alternatives(self, kind: str) -> Alternatives:
        """Return the alternatives for a token of this kind, application or delegated."""
        return self.application if kind == APPLICATION else self.delegated


class Calls(NamedTuple):
    """The calls of a runbook, by id: what it must read, what it tries to read (refused, it is unknown), and what it sends."""

    reads: tuple[Call, ...]
    tries: tuple[Call, ...]
    sends: tuple[Call, ...]


def table(listed: Iterable[Mapping[str, Any]]) -> dict[str, Call]:
    """Make calls by id of the rows of the file."""
    found = {}
    for row in listed:
        delegated = row.get("del", row["app"])
        found[row["id"]] = Call(
            row["id"], row["call"], _parsed(row["app"]), _parsed(delegated), _parsed(row.get("unsure", ())), row.get("role", "")
        )
    return found


def _parsed(texts: Iterable[str]) -> Alternatives:
    return tuple(frozenset(part.strip() for part in text.split("&")) for text in texts)


def declared(known: Mapping[str, Call], said: Mapping[str, Iterable[str]], where: str) -> Calls:
    """Return the calls that a notebook declares by id, under `reads`, `tries` and `sends`. Raises ParameterError for an unknown one."""
    unknown = sorted({name for listed in said.values() for name in listed} - known.keys()) + sorted(said.keys() - set(Calls._fields))
    if unknown:
        raise ParameterError(f"metadata.awsfed.graph names {', '.join(unknown)}, which graph_permissions.yml does not.", where=where)
    return Calls(*(tuple(known[name] for name in said.get(field, ())) for field in Calls._fields))


def met(call: Call, kind: str, permissions: Collection[str]) -> str:
    """Say whether the permissions are enough for the call: yes, owned (for owned objects only), unsure (documents disagree), or no."""
    alternatives = call.alternatives(kind)
    if not alternatives or any(one <= set(permissions) for one in alternatives):
        return "yes"
    owned = {f"{name}{OWNER}" for name in permissions} | set(permissions)
    if any(one <= owned for one in alternatives):
        return "owned"
    return "unsure" if any(one <= set(permissions) for one in call.unsure) else "no"


def least(calls: Iterable[Call], kind: str, having: Collection[str] = ()) -> list[str]:
    """Return permissions that are enough for all of these calls beside those that one has, as few and narrow as the table allows, sorted.

    Of each call the first alternative that only reads, else the first, without what others make needless; a permission to write makes
    none to read needless.
    """
    had = frozenset(having)
    asked = [alternatives for call in calls if (alternatives := call.alternatives(kind)) and not any(one <= had for one in alternatives)]
    chosen = {name for alternatives in asked for name in next(filter(_only_reads, alternatives), alternatives[0])} - had
    reach = {name: sum(any(name in one for one in alternatives) for alternatives in asked) for name in chosen}
    for name in sorted(chosen, key=lambda name: (-reach[name], name)):
        rest = had | {other for other in chosen - {name} if _only_reads([other]) or not _only_reads([name])}
        users = [alternatives for alternatives in asked if any(name in one for one in alternatives)]
        if all(any(one <= rest for one in alternatives) for alternatives in users):
            chosen.remove(name)
    return sorted(chosen)


def _only_reads(permissions: Iterable[str]) -> bool:
    return not any("ReadWrite" in name or "Create" in name for name in permissions)


def named(known: Mapping[str, Call], method: str, target: str) -> frozenset[str]:
    """Name the calls of the table that a request is: its method, and its target below the version, with the query."""
    path, _, query = target.removeprefix("/v1.0").partition("?")
    path = _KEY.sub("/key", path)
    found = {
        name for name, call in known.items() if any(one == method and pattern.fullmatch(path) for one, pattern in _patterns(call.call))
    }
    selected = re.search(r"\$select=([^&]*)", query)
    whole = selected is None or bool(SHOWS & set(selected[1].split(",")))
    if {"user.read", "user.full"} <= found:
        found -= {"user.read"} if whole else {"user.full"}
    return frozenset(found | ({"user.full"} if "member.read" in found and whole else set()))


def _patterns(call: str) -> list[tuple[str, re.Pattern[str]]]:
    found = []
    for part in filter(None, map(_PATHS.match, call.split("; "))):
        paths = [_KEY.sub("/{id}", path.split(" ")[0]) for path in part[2].split(", ")]
        patterns = [re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))) for path in paths]
        found += [(method, pattern) for method in part[1].split(", ") for pattern in patterns]
    return found


def in_words(calls: Calls, kind: str = APPLICATION) -> str:
    """Say which permissions a runbook needs, for the row Needs: to read, to leave nothing unknown, and to send."""
    read = least(calls.reads, kind)
    parts = [
        (read, "to read"),
        (least(calls.tries, kind, read), "so that nothing stays unknown"),
        (least(calls.sends, kind, read), "to send"),
    ]
    return "; ".join(f"{_listed(names)} {what}" for names, what in parts if names) or "nothing"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name.removesuffix(OWNER)}`{' as an owner' if name.endswith(OWNER) else ''}" for name in names)
