"""A record of an earlier run as evidence: verified whole, or refused with the reason; then its snapshots and its plan."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from awsfed_lib.core.errors import ParameterError, RecordError
from awsfed_lib.core.review.reverify import Sent
from awsfed_lib.core.roles import approles
from awsfed_lib.core.roles.membership import TABLE
from awsfed_lib.core.roles.restore import Snapshot
from awsfed_lib.core.settings.parameters import suggestion
from awsfed_lib.core.tables import APP_ROLES, ASSIGNMENTS, FACTS, Schema, check, frame
from awsfed_lib.edges.entra import objects
from awsfed_lib.edges.records import journal, leaks, memberships, parquet, proof, where
from awsfed_lib.edges.records.journal import Line
from awsfed_lib.edges.records.proof import Vouching
from awsfed_lib.edges.records.record import TABLES as TABLES_FOLDER
from awsfed_lib.edges.records.record import Record

_REMEDY = "Take another record. A record that was changed proves nothing, and what it says must not be written anywhere."
NAMED = 10  # objects that are named of a table that is not restored
# What runbooks keep under these names is the live table, read before anything was planned.
TABLES: Mapping[str, tuple[str, Schema]] = {"app_roles": ("live_app_roles", APP_ROLES), "assignments": ("live_assignments", ASSIGNMENTS)}


@dataclass(frozen=True)
class Recorded:
    """A verified record: its folder, its run.json, the lines of its journal."""

    folder: Path
    run: Mapping[str, Any]
    lines: tuple[Line, ...]

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.folder.name

    def parameter(self, name: str) -> str:
        """Return a parameter of that run; "" when it had none of that name."""
        return str(self.run.get("parameters", {}).get(name, ""))

    @cached_property
    def snapshots(self) -> dict[str, list[dict[str, Any]]]:
        """The tables of the application as Graph sent them before the first plan was sent, by name. Raises RecordError."""
        found: dict[str, list[dict[str, Any]]] = {}
        for line in self.lines:
            if line.event == "snapshot":
                content = self._kept(line)
                if content["table"] not in TABLES or content["of"] == self.parameter("application_id"):
                    found.setdefault(content["table"], content["value"])
        return found

    def _kept(self, line: Line) -> dict[str, Any]:
        """Read the file of a snapshot; its digest stands in the journal."""
        file = str(line.fields["file"])
        path, place = where.inside(self.folder, file), f"{self.name}/{file}"
        try:
            content = leaks.original(Record(self.folder), path.relative_to(self.folder.resolve()).as_posix(), line.fields["sha256"])
            said: dict[str, Any] = json.loads(content)
        except RecordError:
            raise RecordError("A snapshot of the record is gone, or not as it was written.", where=place, remedy=_REMEDY) from None
        except ValueError:
            raise RecordError("A snapshot of the record cannot be read.", where=place, remedy=_REMEDY) from None
        whole = isinstance(said, dict) and isinstance(said.get("value"), list) and {"table", "of"} <= said.keys()
        if not whole:
            raise RecordError("A snapshot of the record is not as it was written.", where=place, remedy=_REMEDY)
        return said

    def snapshot(self) -> Snapshot:
        """Return what to restore from. Raises RecordError when the record holds neither appRoles nor assignments."""
        application_id = self.parameter("application_id")
        wire = self.snapshots
        roles = approles.entries(wire["app_roles"]) if "app_roles" in wire else self._table("app_roles")
        known = objects.assignments(application_id, wire["assignments"]) if "assignments" in wire else self._table("assignments")
        if roles is None and known is None:
            raise RecordError(
                "The record holds no appRoles and no assignments: there is nothing to restore from.",
                where=self.name,
                remedy="Take the record of a 04-approles, 06-assignments, 14-restore, 16-revoke or 17-review.",
            )
        return Snapshot(
            self.name,
            self.parameter("tenant_id"),
            application_id,
            roles,
            known,
            (*(_told(name, wire[name]) for name in sorted(wire.keys() - TABLES.keys() - {TABLE})), *memberships.added(self.lines)),
            memberships.ended(self.lines),
        )

    def _table(self, table: str) -> pd.DataFrame | None:
        """Read the table that the runbook kept while it planned; only a sealed record holds its digest."""
        name, schema = TABLES[table]
        record = Record(self.folder)
        if not self.run.get("sealed") or name not in record.tables():
            return None
        with tempfile.TemporaryDirectory(prefix="awsfed-") as folder:
            path = Path(folder) / "table.parquet"
            path.write_bytes(leaks.original(record, f"{TABLES_FOLDER}/{name}.parquet"))
            return check(schema, parquet.read(path))

    @property
    def facts(self) -> pd.DataFrame:
        """FACTS: what the record says of itself."""
        kept = ", ".join(f"{name} ({len(rows)})" for name, rows in sorted(self.snapshots.items())) or "none: nothing was sent in that run"
        said = {
            "record": self.name,
            "runbook": self.run.get("runbook"),
            "started": self.run.get("started"),
            "verdict": self.run.get("verdict") or "never finished",
            "verified": "every file and the journal" if self.run.get("sealed") else "journal and snapshots; the run was never sealed",
            "snapshots": kept,
        }
        return frame(FACTS, [{"fact": name, "value": str(value)} for name, value in said.items()])

    def sent(self) -> Sent:
        """Return the plan that was sent last, with what became of it. Raises RecordError when none was sent to its end."""
        plans = [line for line in self.lines if line.event == "plan"]
        ends = {line.fields["plan"]: line for line in self.lines if line.event == "outcome"}
        if not plans or plans[-1].fields["id"] not in ends:
            raise RecordError(
                "That run sent no plan, or did not come to its end: there is nothing to verify.",
                where=self.name,
                remedy="Take the run whose verdict was applied or unverified. After one that stopped half-way, run its runbook again.",
            )
        plan, end = plans[-1].fields, ends[plans[-1].fields["id"]]
        verdict, at = str(end.fields["verdict"]), datetime.fromisoformat(end.at)
        return Sent(self.name, plan["id"], plan["content"], verdict, at, self.snapshots, self._held(verdict, end.at))

    def _held(self, verdict: str, at: str) -> str:
        """Tell when that plan was last seen to hold: at its end, or by a later verification whose record says so."""
        held = at if verdict == "applied" else "never"
        vouching = Vouching.of(where.runs())
        for path in sorted(where.runs().glob("*-15-reverify-*")):
            try:
                run = proof.read_sealed(Record(path), vouching)
            except RecordError:
                continue
            if run.get("verdict") == "nothing to do" and run["parameters"].get("verify_run") == self.name:
                held = str(run.get("finished") or run["started"])
        return held


def _told(table: str, wire: list[dict[str, Any]]) -> str:
    """Name a table that is not restored, and what is in it, so that a person can."""
    names = sorted({str(one.get("displayName") or one.get("id")) for one in wire})
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{table}: {', '.join(names[:NAMED])}{more}" if names else table


def read(name: str) -> Recorded:
    """Read the record of the run `name` below runs/, verified.

    Raises ParameterError when there is no such run, RecordError when it is not as it was written: a changed file, a
    damaged journal, another digest than the chain has of it, or a damaged chain. A run that was killed was never sealed, and the
    chain does not know it; then the journal and the digests of the snapshots in it vouch.
    """
    folder = where.inside(where.runs(), name)
    if folder.parent != where.runs().resolve() or not folder.is_dir():
        known = sorted(path.name for path in where.runs().glob("*") if path.is_dir() and not path.name.startswith("."))
        hint = suggestion(name, known) or (f" The last one is {known[-1]}." if known else " There is none yet.")
        raise ParameterError(f"There is no run {name}.{hint}", where="runs/", remedy="Copy the name of a folder below runs/.")
    record = Record(folder)
    run = record.run()
    vouching = Vouching.of(folder.parent)
    if run.get("sealed"):
        run = proof.read_sealed(record, vouching)
    elif vouching.keys:
        words = "The record was never sealed, so that no signature vouches for it, and parameters/signing.pub asks for one."
        raise RecordError(words, code="record-not-evidence", where=name, remedy=_REMEDY)
    elif denied := proof.contradicted(record, vouching):
        raise RecordError(f"The record does not count: {denied}.", code="record-not-evidence", where=name, remedy=_REMEDY)
    if not (folder / journal.FILE).exists():
        raise RecordError("The record has no journal.", where=name, remedy=_REMEDY)
    return Recorded(folder, run, tuple(journal.read(folder)))
