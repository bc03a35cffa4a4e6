"""How much a run read: every account, and every other read that can fail or come back partly without ending the run.

What reads for a run notes here what became of each read, so that the verdict, the page and every count can say it. An
unread thing is unknown: it is never counted as absent, and a run that read less than the last good one is not good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.errors import AwsfedError
from awsfed_lib.core.shapes import COVERAGE
from awsfed_lib.core.tables import frame, rows

ACCOUNT, ACCOUNTS_LIST, MEMBERS, USERS = "account", "list of accounts", "members of group", "state of users"
DECISIVE = (MEMBERS, USERS)  # without any of them nothing is known of who has access
READ, CLOSED, NOT_READ = "read", "closed", "not read"
_WORST_FIRST = (NOT_READ, CLOSED, READ)
_MOST_NAMED = 5
Row = Mapping[str, Any]


@dataclass(eq=False)
class Coverage:
    """What one run read. `what` names the kind of read (`account`, `audit log`, …), `key` the object of Entra ID or AWS."""

    noted: list[dict[str, Any]] = field(default_factory=list)

    def read(self, what: str, key: str = "", name: str = "", *, found: int | None = None) -> None:
        """Note a read that came back whole. `found`: how many entries it has, where an empty list would say something."""
        self.noted.append({"what": what, "key": key, "name": name, "state": READ, "found": found, "problem": ""})

    def not_read(self, what: str, problem: str, key: str = "", name: str = "") -> None:
        """Note a read that failed or came back partly, and why."""
        self.noted.append({"what": what, "key": key, "name": name, "state": NOT_READ, "found": None, "problem": problem})

    def closed(self, account_id: str, name: str, problem: str) -> None:
        """Note an account that nobody can read any more, since it is suspended or closed. It is listed, and no failure."""
        self.noted.append({"what": ACCOUNT, "key": account_id, "name": name, "state": CLOSED, "found": None, "problem": problem})

    @contextmanager
    def reading(self, what: str, key: str = "", name: str = "") -> Iterator[None]:
        """Note one read as whole, or as not read when it raises one of our errors, which goes on."""
        try:
            yield
        except AwsfedError as error:
            self.not_read(what, error.what, key, name)
            raise
        self.read(what, key, name)

    @property
    def table(self) -> pd.DataFrame:
        """COVERAGE: one row for everything that was to be read, the worst of its reads."""
        worst: dict[tuple[str, str], dict[str, Any]] = {}
        for row in sorted(self.noted, key=lambda row: _WORST_FIRST.index(row["state"])):
            worst.setdefault((row["what"], row["key"]), row)
        return frame(COVERAGE, [worst[name] for name in sorted(worst)])


class Extent(NamedTuple):
    """How much a run read: COVERAGE, and what makes it not good (see `gaps`)."""

    read: pd.DataFrame
    gaps: list[str]


WHOLE = Extent(frame(COVERAGE, []), [])


def gaps(now: pd.DataFrame, good: pd.DataFrame | None = None, last: pd.DataFrame | None = None) -> list[str]:
    """Say what of COVERAGE makes a run not good: nothing decisive read, or less than the last good run read; [] for nothing.

    `good`: COVERAGE of the last good run, `last`: of the last run; None for none. A list that came back empty and had entries
    in the last run counts as not read once: from the second time on it is believed.
    """
    listed, before, previous = (_by_name(table) for table in (now, good, last))
    nothing = any(what in (ACCOUNT, ACCOUNTS_LIST) for what, _ in listed) and not _count(now, READ)
    blind = [kind for kind in DECISIVE if {row["state"] for (what, _), row in listed.items() if what == kind} == {NOT_READ}]
    were = [name for name, then in before.items() if then["state"] == READ]
    lost = [listed[name] for name in were if name in listed and listed[name]["state"] == NOT_READ]
    gone = [before[name] for name in were if name not in listed and name[0] == ACCOUNT]
    empty = [row for name, row in listed.items() if row["found"] == 0 and (previous.get(name, {}).get("found") or 0) > 0]
    return [
        *([f"No account was read ({_accounts(now)})."] if nothing else []),
        *_in_words([row for (what, _), row in listed.items() if what in blind], "not read at all", lambda row: str(row["problem"])),
        *_in_words(lost, "not read, and read by the last good run", lambda row: str(row["problem"])),
        *_in_words(gone, "not listed any more", lambda _: "What left the organization is to be named in exclude_accounts."),
        *_in_words(empty, "came back empty, and had entries in the last run", lambda _: "Run again: a second empty list is believed."),
    ]


def _by_name(table: pd.DataFrame | None) -> dict[tuple[str, str], dict[str, Any]]:
    return {} if table is None else {(row["what"], row["key"]): row for row in rows(table)}


def _in_words(found: list[dict[str, Any]], state: str, why: Callable[[Row], str]) -> Iterator[str]:
    """Say in one line for each kind of read which of them it is about, and why the first is."""
    for what in dict.fromkeys(row["what"] for row in found):
        several = [row for row in found if row["what"] == what]
        names = ", ".join(" ".join(filter(None, (row["key"], row["name"]))) for row in several[:_MOST_NAMED])
        more = f" and {len(several) - _MOST_NAMED} more" if len(several) > _MOST_NAMED else ""
        yield f"{what[0].upper()}{what[1:]} {state} ({len(several)}): {names}{more}. {why(several[0])}"


def accounts_read(table: pd.DataFrame) -> frozenset[str]:
    """Ids of the accounts of COVERAGE that were read by every read of them."""
    return frozenset(table.loc[(table["what"] == ACCOUNT) & (table["state"] == READ), "key"])


def whole(table: pd.DataFrame) -> bool:
    """Whether everything of COVERAGE was read that anybody can read."""
    return not (table["state"] == NOT_READ).any()


def sentence(table: pd.DataFrame) -> str:
    """Say how much of COVERAGE was read: "19 of 24 accounts read"; "" where nothing was to be read."""
    if not len(table):
        return ""
    others = [row for row in rows(table) if row["state"] == NOT_READ and row["what"] not in (ACCOUNT, ACCOUNTS_LIST)]
    kinds = list(dict.fromkeys(row["what"] for row in others))
    accounts = _accounts(table) if any(table["what"].isin((ACCOUNT, ACCOUNTS_LIST))) else ""
    return "; ".join(filter(None, (accounts, f"not read in full: {', '.join(kinds)}" if kinds else "")))


def told(table: pd.DataFrame) -> dict[str, Any]:
    """Return what run.json says of COVERAGE: the sentence, the figures, and what was not read, with its problem."""
    left = [row for row in rows(table) if row["state"] != READ]
    return {
        "said": sentence(table),
        "whole": whole(table),
        "accounts": {state.replace(" ", "_"): _count(table, state) for state in (READ, NOT_READ, CLOSED)},
        "left": [{name: row[name] for name in ("what", "key", "name", "state", "problem")} for row in left],
    }


def _accounts(table: pd.DataFrame) -> str:
    read, unread, closed = (_count(table, state) for state in (READ, NOT_READ, CLOSED))
    if not read + unread + closed:
        return "no account to read"
    return f"{read} of {read + unread} accounts read" + (f", {closed} closed or suspended" if closed else "")


def _count(table: pd.DataFrame, state: str) -> int:
    return int(((table["what"] == ACCOUNT) & (table["state"] == state)).sum())
