"""Before a run: its parameters are checked and its record is made, in the notebook and in the runner alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from awsfed_lib.core.errors import ParameterError, RecordError
from awsfed_lib.core.settings import parameters
from awsfed_lib.core.settings.parameters import Parameters
from awsfed_lib.core.settings.trail_rules import LOOKUP
from awsfed_lib.edges.records import namespace, provenance, record, where
from awsfed_lib.edges.records.record import Record
from awsfed_lib.edges.records.runbooks import Runbook

FOLDER_VARIABLE = "AWSFED_RUN_FOLDER"
RUNNER, NOTEBOOK = "awsfed run", "notebook"
Clock = Callable[[], datetime]


def now() -> datetime:
    """Return the time, in UTC; the one place where a run looks at the clock."""
    return datetime.now(UTC)


def check(book: Runbook, given: Mapping[str, object], *, source: parameters.Source = parameters.Source()) -> Parameters:  # noqa: B008  frozen
    """Check the parameters `given` to a runbook, the CSV files that they name included.

    Raises ParameterError that lists everything that is wrong.
    """
    checked = parameters.check(given, needed=book.needed, source=source)
    for name, reader in _readers(checked).items():
        file = getattr(checked, name)
        if file and (name in book.names or file != parameters.described(name).default):
            reader(file)
    return checked


def _readers(checked: Parameters) -> Mapping[str, Callable[[str], object]]:
    """Return how the file of each parameter is read: what is wrong in it must be said before an hour of reading, not after it."""
    from awsfed_lib.core.accounts.slugs import read_frozen
    from awsfed_lib.core.review import accepted
    from awsfed_lib.core.roles.mapping import read_mapping
    from awsfed_lib.edges import review
    from awsfed_lib.edges.amazon.accounts_file import read_accounts
    from awsfed_lib.edges.records import families_file

    return {
        "accounts_file": read_accounts,
        "group_map": lambda file: read_mapping(where.table_file(file).read_bytes(), file),
        "names_file": lambda file: read_frozen(where.table_file(file).read_bytes(), file),
        "families_file": lambda file: families_file.load(where.table_file(file)),
        "accepted_file": lambda file: accepted.read(where.table_file(file).read_bytes(), file),
        "review_file": lambda file: review.marks(file, checked.application_id),
        "entered_from": lambda file: file == LOOKUP or where.table_file(file),
    }


def check_names(book: Runbook, names: Mapping[str, object]) -> Parameters:
    """Check the parameters among the names of a notebook; mistyped and unknown injected names are problems too."""
    source = parameters.Source(f"the parameters of {book.id}", problems=tuple(namespace.problems(names, book.names)))
    return check(book, namespace.given(names), source=source)


def start(book: Runbook, checked: Parameters, *, clock: Clock, **more: object) -> Record:
    """Make the record of a run, with everything in it that is known before it runs, and `more`."""
    moment = clock()
    target = checked.application_id or checked.tenant_id or checked.cloud
    values = parameters.plain(checked)
    ran = provenance.ran_by(os.environ)
    run: dict[str, object] = {
        "runbook": book.id,
        "title": book.title,
        "changes": book.changes,
        "executed_by": NOTEBOOK,
        "who": {"ran": ran} | ({"approved": ran} if checked.approved else {}),
        "started": moment.isoformat(timespec="seconds"),
        "parameters": {name: values[name] for name in parameters.NAMES if name in book.names},
        "awsfed": provenance.version(),
        "git": provenance.commit(where.root()),
        "notebook_sha256": provenance.notebook_digest(book.path),
        "packages": provenance.packages(),
        **more,
    }
    return record.create(where.runs(), record.name_of(book.id, target[:8], moment), run)


def made_by_runner(book: Runbook, checked: Parameters) -> Record | None:
    """Return the record that the runner made, None when there is no runner.

    Raises RecordError when it is not of this runbook, ParameterError when the notebook changed what had been checked.
    """
    named = os.environ.get(FOLDER_VARIABLE, "")
    if not named:
        return None
    folder = Path(named).resolve()
    if not folder.is_relative_to(where.runs().resolve()):
        raise RecordError(f"{FOLDER_VARIABLE} names a folder outside of runs/.", where=str(folder), remedy="Unset it.")
    opened = Record(folder)
    said, values = opened.run(), parameters.plain(checked)
    if said["runbook"] != book.id:
        raise RecordError(f"The record was made for {said['runbook']}, and this notebook is {book.id}.", where=str(folder))
    moved = [name for name, value in said["parameters"].items() if values[name] != value]
    if moved:
        raise ParameterError(
            f"The notebook changed {', '.join(moved)} after the parameters were checked.", remedy="Give them from outside."
        )
    return opened
