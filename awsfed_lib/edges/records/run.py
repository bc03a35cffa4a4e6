"""The run of one runbook, as its notebook sees it: begin checks and records, finish judges and seals.

The same two calls stand in every notebook, whoever executes it: JupyterLab and plain papermill get a record of their
own, `awsfed run` has made one already and says where.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from awsfed_lib.core import coverage
from awsfed_lib.core.change import Guards
from awsfed_lib.core.coverage import Coverage, Extent
from awsfed_lib.core.errors import RecordError, UnreadError
from awsfed_lib.core.outcome import Outcome
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.review import accepted
from awsfed_lib.core.roles.mapping import read_mapping
from awsfed_lib.core.settings import parameters
from awsfed_lib.core.settings.parameters import Parameters
from awsfed_lib.core.settings.verdict import CODES
from awsfed_lib.core.view.display import Banner
from awsfed_lib.edges.lab import filled, seat
from awsfed_lib.edges.records import (
    approval,
    baseline,
    frames,
    held,
    journal,
    leaks,
    opening,
    outlet,
    results,
    runbooks,
    sealing,
    signing,
    where,
)
from awsfed_lib.edges.records.journal import Journal
from awsfed_lib.edges.records.lock import Locks
from awsfed_lib.edges.records.opening import RUNNER, Clock
from awsfed_lib.edges.records.past import Target
from awsfed_lib.edges.records.record import Record
from awsfed_lib.edges.records.runbooks import Runbook

if TYPE_CHECKING:
    from awsfed_lib.core.accounts.families import Families
    from awsfed_lib.core.accounts.federation import Terms
    from awsfed_lib.core.review.since import Drift
    from awsfed_lib.edges.amazon.accounts import Accounts
    from awsfed_lib.edges.amazon.organization import Organization
    from awsfed_lib.edges.entra.auth import Session
    from awsfed_lib.edges.entra.graph import Graph


def begin(runbook: str, names: MutableMapping[str, object], *, clock: Clock = opening.now) -> Run:
    """Check the parameters among `names` (a notebook passes globals()), open the record, and show what this run may do.

    At a live notebook, values of the file that `awsfed lab` was given are put into `names` first (see `filled`).
    Raises ParameterError that lists everything wrong, unknown and mistyped names included; then nothing was started.
    """
    outlet.guard()
    seat.sit_down()
    book = runbooks.find(runbook)
    given = filled.fill(book, names)
    checked = opening.check_names(book, names)
    record = opening.made_by_runner(book, checked) or opening.start(book, checked, clock=clock, **given.noted)
    locks = Locks(where.locks(), {"runbook": book.id, "record": record.folder.name})
    run = Run(book, checked, record, Journal(record.folder, locks, clock, book.id), clock)
    run.journal.note("begin", runbook=book.id, parameters=parameters.plain(checked))
    frames.register()
    seat.take(names, record, run.journal, given)
    _display(run)
    return run


def _display(run: Run) -> None:
    """Show the banner where there is a notebook; print it where there is none."""
    interactive: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if interactive is None:
        print(run)  # noqa: T201  a plain Python process has nothing else to show it with
    else:
        interactive.display_pub.publish(run._repr_mimebundle_())


@dataclass(frozen=True)
class Run:
    """One run: its runbook, its checked parameters, its record and its journal. Shown, it says what it may do."""

    runbook: Runbook
    parameters: Parameters
    record: Record
    journal: Journal
    clock: Clock
    coverage: Coverage = field(default_factory=Coverage)

    @property
    def folder(self) -> Path:
        """The folder of the record."""
        return self.record.folder

    @property
    def guards(self) -> Guards:
        """The limits of the parameter file."""
        given = self.parameters
        return Guards(given.max_removed, given.protected_roles, given.protected_groups, given.break_glass)

    @property
    def target(self) -> Target:
        """What this run is about: the records of the past on the same target are asked by it."""
        given = self.parameters
        return Target(given.application_id, given.tenant_id, given.cloud)

    @cached_property
    def organization(self) -> Organization:
        """Which accounts are read, and through which role."""
        from awsfed_lib.edges.amazon.organization import Organization
        from awsfed_lib.edges.amazon.selection import Selection

        given = self.parameters
        one = "account_id" in self.runbook.names
        return Organization(
            via=given.via,
            external_id=given.external_id,
            partition=given.partition,
            only=Selection((given.account_id,)) if one else Selection(given.include_accounts, given.exclude_accounts),
            accounts_file=given.accounts_file,
            cloud=given.cloud,
            workers=given.workers,
            stack_regions=given.stack_regions,
            coverage=self.coverage,
        )

    @cached_property
    def mapping(self) -> pd.DataFrame | None:
        """GROUP_MAP of the CSV that the parameter group_map names; None when it names none."""
        name = self.parameters.group_map
        return read_mapping(where.table_file(name).read_bytes(), name) if name else None

    @cached_property
    def accepted(self) -> pd.DataFrame | None:
        """ACCEPTED of the CSV that the parameter accepted_file names; None when it names none."""
        name = self.parameters.accepted_file
        return accepted.read(where.table_file(name).read_bytes(), name) if name else None

    @cached_property
    def session(self) -> Session:
        """The session in Entra ID; signed in once, and who did stands in the record."""
        from awsfed_lib.edges.entra import auth

        given = self.parameters
        session = auth.sign_in(auth.SignIn(given.cloud, given.tenant_id, given.client_id, given.sign_in))
        self.acting(entra=_who(session))
        return session

    def graph(self) -> Graph:
        """Return Microsoft Graph for this runbook: it can carry out plans only where the runbook changes Entra ID."""
        from awsfed_lib.edges.entra.graph import Graph

        make = Graph.writing if "entra" in self.runbook.changes else Graph.reading
        return make(self.session, coverage=self.coverage)

    @cached_property
    def aws(self) -> Accounts:
        """AWS as plans are applied to it, through the role that writes. Raises WriteForbidden where the runbook only reads AWS."""
        from awsfed_lib.core.errors import WriteForbidden
        from awsfed_lib.edges.amazon.accounts import Accounts

        if "aws" not in self.runbook.changes:
            raise WriteForbidden(f"{self.runbook.id} only reads AWS.", remedy="Take the runbook that makes the change.")
        given = self.parameters
        service = Accounts(replace(self.organization, via=given.remover if "remover" in self.runbook.names else given.writer))
        self.acting(aws=service.arn)
        return service

    @cached_property
    def families(self) -> Families:
        """The roles that every account gets, of the file that families_file names."""
        from awsfed_lib.edges.records import desired

        return desired.families(self.parameters)

    def names(self, accounts: pd.DataFrame) -> pd.DataFrame:
        """Give each account what stands for it in role names: SLUGS."""
        from awsfed_lib.edges.records import desired

        return desired.names(self, accounts)

    def terms(self, documents: pd.DataFrame) -> Terms:
        """Read the metadata and certificates of the application; with DOCUMENTS they are what plans for accounts go by."""
        from awsfed_lib.edges.records import desired

        return desired.terms(self, documents)

    @property
    def extent(self) -> Extent:
        """How much was read so far, and what was not although the last good run read it."""
        read = self.coverage.table
        return Extent(read, coverage.gaps(read, *self._coverage_before) if len(read) else [])

    @cached_property
    def _coverage_before(self) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
        return baseline.coverage_before(self.target, self.record)

    def acting(self, **who: object) -> None:
        """Note in the record who acts: `entra` the application and person, `aws` the ARN. Never a token."""
        self.record.update(who={**self.record.run().get("who", {}), **who})

    def keep(self, **things: object) -> None:
        """Keep tables, plans, CSV texts and JSON values in the record, by name; a name that is taken gets a number.

        None is what was not read, and is not kept: a later run takes what is missing for unknown.
        """
        for name, thing in things.items():
            if thing is None:
                continue
            if isinstance(thing, pd.DataFrame):
                frames.kept(thing, f"tables/{self.record.keep_table(name, thing).stem}.csv")
            elif isinstance(thing, str):
                self.record.keep_text(name, thing)
            else:
                self.record.keep_json(name, results.of_plan(thing) if isinstance(thing, Plan) else thing)

    def propose(self, plan: Plan) -> Plan:
        """Bind a plan to this runbook and keep it in the record: what is returned is shown, approved by its id, and applied."""
        ids = approval.read(self.folder.parent, self.clock())
        plan = replace(plan, refusals=(*plan.refusals, *outlet.unreadable(plan))) if plan else plan
        proposed = plan.proposed(self.runbook.id, lambda plan_id: ids.approval(plan_id, self.journal.began))
        self.keep(plan=proposed)
        return proposed

    def export(self, files: Mapping[str, str | bytes]) -> pd.DataFrame:
        """Keep texts and files for other tools below exports/ of the record: a table of file and bytes."""
        paths = [self.record.keep_export(name, content) for name, content in sorted(files.items())]
        return pd.DataFrame({"file": [f"exports/{path.name}" for path in paths], "bytes": [path.stat().st_size for path in paths]})

    def finish(self, *outcomes: Outcome, findings: pd.DataFrame | None = None, drift: Drift | None = None) -> None:
        """Write what came out, give the verdict, seal the journal; then raise for an outcome that failed.

        Verdicts and exit codes are those of `verdict.CODES`. Raises RecordError when the run is finished already.
        """
        if findings is not None:
            self.keep(findings=findings)
        plans = self._kept_plans()
        for outcome in outcomes:
            self.record.keep_json("outcome", results.of_outcome(outcome))
        read, gaps = self.extent
        if len(read):
            self.keep(coverage=read)
        word = results.word(outcomes, findings, self.parameters.fail_on, gaps)
        problem = "\n".join(filter(None, (" ".join(outcome.problem for outcome in outcomes if outcome.problem), *gaps)))
        self.journal.seal(word, problem=problem, files=self._written())
        self.journal.close()
        ids = approval.read(self.folder.parent, self.clock())
        self.record.update(planned_in=sorted({run for one in outcomes if one.sent for run in ids.shown.get(one.plan_id, ())}))
        figures = results.counts(outcomes, findings, plans) | (drift.told if drift else {})
        self._close({"verdict": word, "problem": problem, "exit_code": CODES[word], "counts": figures, "coverage": coverage.told(read)})
        for outcome in outcomes:
            outcome.raise_for_failure()
        self._raise_for_leak()

    def _raise_for_leak(self) -> None:
        """Fail the run in plain papermill and in JupyterLab too; under the runner nothing is scanned yet."""
        run = self.record.run()
        if run["verdict"] == leaks.VERDICT:
            raise RecordError(run["problem"], where=self.folder.name)

    def _kept_plans(self) -> dict[str, Mapping[str, Any]]:
        """Return the plans that were proposed, by their ids."""
        return {str(plan.get("id")): plan for plan in map(json.loads, (path.read_bytes() for path in self.folder.glob("*plan*.json")))}

    def _written(self) -> dict[str, str]:
        """Return the digests of the files that will not change any more; the journal and the runner's files are not among them."""
        return {name: digest for name, digest in self.record.digests().items() if not name.startswith((journal.FILE, "record"))}

    def _close(self, fields: Mapping[str, Any]) -> None:
        """Finish run.json. Under the runner it stays open: the executed notebook is still to come."""
        if self.record.run()["executed_by"] == RUNNER:
            self.record.update(**fields)
        else:
            verdict, problem = leaks.judged(self.record, held.held(), (fields["verdict"], fields["problem"]))
            fields = {**fields, "verdict": verdict, "problem": problem, "exit_code": CODES[verdict]}
            sealing.seal(
                self.record, clock=self.clock, signer=signing.signer(), **fields, finished=self.clock().isoformat(timespec="seconds")
            )

    @property
    def banner(self) -> Banner:
        """What this run is about to do."""
        given = self.parameters
        file = str((self.record.run().get("parameter_file") or {}).get("name", ""))
        place = (("cloud", given.cloud), ("tenant", given.tenant_id), ("application", given.application_id))
        about = (*place, ("parameters", file), ("record", self.folder.name))
        return Banner(self.runbook.id, self.runbook.title, self.runbook.changes, given.approved, about)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return self.banner._repr_mimebundle_()

    def __str__(self) -> str:
        return str(self.banner)

    __repr__ = __str__


def _who(session: Session) -> dict[str, str]:
    """Tell who signed in; a token that does not tell leaves the application that was asked for."""
    from awsfed_lib.edges.entra import auth

    try:
        held = auth.held(session)
    except UnreadError:
        return {"client_id": session.client_id}
    return {"client_id": held.client_id, "user_name": held.user_name, "kind": held.kind}
