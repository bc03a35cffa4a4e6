"""`awsfed runs`: list, show, compare, verify, push, fetch and retire records. It parses and prints; the work is done elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from awsfed_lib.core.errors import RecordError
from awsfed_lib.core.settings.verdict import MEANING

if TYPE_CHECKING:
    from awsfed_lib.edges.records.proof import Proof
    from awsfed_lib.edges.records.record import Record
    from awsfed_lib.edges.records.store import Store

_MOST = 40
NO_HEAD = "no line has the digest given as --head"


@click.group()
def runs() -> None:
    """List, show, compare, verify, push, fetch and retire the records of runs."""


def _folder() -> Path:
    from awsfed_lib.edges.records import where

    return where.runs()


@runs.command(name="list")
@click.option("--runbook", default="", help="Only of this runbook: number, word or id.")
@click.option("--verdict", default="", type=click.Choice(["", *MEANING]), metavar="WORD", help=f"Only: {', '.join(MEANING)}.")
@click.option("--last", type=click.IntRange(1), default=_MOST, show_default=True, help="The newest so many.")
@click.option("--at", metavar="ADDRESS", default="", help="Those of this store (s3://… or abfs://…) instead of those in runs/.")
def list_(runbook: str, verdict: str, last: int, at: str) -> None:
    """List records, the newest last."""
    from awsfed_lib.core.view.escape import visible
    from awsfed_lib.core.view.record_page import came_out
    from awsfed_lib.edges.records import catalogue, mirror, runbooks

    wanted = runbooks.find(runbook).id if runbook else ""
    newest = None if wanted or verdict else last
    said = mirror.described(_store(at), newest) if at else catalogue.described(catalogue.records(_folder()))
    chosen = {
        name: run
        for name, run in said.items()
        if wanted in ("", run.get("runbook")) and verdict in ("", run.get("verdict") or "unfinished")
    }
    for name, run in list(chosen.items())[-last:]:
        click.echo(visible(f"{name}  {run.get('verdict') or 'unfinished':<13}  {'; '.join(came_out(run)) or '-'}"))


@runs.command()
@click.argument("run")
def show(run: str) -> None:
    """Show one record: RUN is its folder's name, the beginning of it, or `last`."""
    from awsfed_lib.core.view.markup import terms_text
    from awsfed_lib.core.view.record_page import WHO, came_out, value
    from awsfed_lib.edges.records import approval

    record = _told(_found(run))
    said = record.run()
    ids = approval.read(record.folder.parent, datetime.now(UTC))
    plans = [str(plan.get("plan")) for plan in said.get("counts", {}).get("plans", ())]
    linked = [
        *(("planned in", name) for plan in plans for name in ids.shown.get(plan, ()) if name != record.folder.name),
        *(("sent in", ids.spent[plan]) for plan in plans if plan in ids.spent and ids.spent[plan] != record.folder.name),
    ]
    files = said.get("files", {})
    about = [
        ("record", str(record.folder)),
        *((name, str(said.get(name, ""))) for name in ("runbook", "title", "verdict", "started", "finished", "executed_by")),
        *((WHO.get(side, f"as, in {side}"), value(who)) for side, who in said.get("who", {}).items()),
        *linked,
        *(("came out", line) for line in came_out(said)),
        ("digest", record.digest),
        *(("table", f"{Path(name).stem}") for name in files if name.endswith(".parquet")),
        *(("file", name) for name in files if not name.startswith("tables/")),
    ]
    click.echo(terms_text(about))


def _found(name: str) -> Record:
    from awsfed_lib.edges.records import catalogue
    from awsfed_lib.edges.records.record import RUN, Record

    named = Path(name)
    return Record(named) if (named / RUN).is_file() else catalogue.find(_folder(), named.name)


def _told(record: Record) -> Record:
    """Return the record; what is not as it was sealed is said before anything of it is shown."""
    from awsfed_lib.edges.records import proof

    for problem in proof.problems(record):
        click.echo(f"awsfed: {record.folder.name} is not as it was sealed: {problem}", err=True)
    return record


@runs.command()
@click.argument("earlier")
@click.argument("later")
@click.option("--most", type=click.IntRange(1), default=_MOST, show_default=True, help="So many lines a table.")
def diff(earlier: str, later: str, most: int) -> None:
    """Compare the tables of two records of one target, row by row. What one of them did not read is said, and is no change."""
    from awsfed_lib.core.review.difference import difference
    from awsfed_lib.edges.records import parquet

    records = [_told(_found(name)) for name in (earlier, later)]
    _refuse_other_target(*records)
    known = (_read_accounts(records[0]), _read_accounts(records[1]))
    for word, record in zip(("earlier", "later"), records, strict=True):
        if said := (record.run().get("coverage") or {}).get("said"):
            click.echo(f"{word}: {said}")
    then, now = (record.tables() for record in records)
    for name in sorted(then.keys() | now.keys()):
        if name not in then or name not in now:
            click.echo(f"{name}: only in the {'later' if name in now else 'earlier'}")
            continue
        listing = name in ("accounts", "provider_accounts", "coverage")  # these say themselves what was read
        changes = difference(parquet.read(then[name]), parquet.read(now[name]), known=(None, None) if listing else known)
        counts = ", ".join(f"{number} {word}" for word, number in changes["change"].value_counts().items())
        click.echo(f"{name}: {counts or 'no change'}")
        for row in changes.head(most).to_dict(orient="records"):
            click.echo(f"    {_line(row)}")
        if len(changes) > most:
            click.echo(f"    and {len(changes) - most:,} more")


def _refuse_other_target(earlier: Record, later: Record) -> None:
    given = [record.run().get("parameters", {}) for record in (earlier, later)]
    for name in ("tenant_id", "application_id", "cloud", "partition"):
        values = [one.get(name) or "" for one in given]
        if all(values) and values[0] != values[1]:
            raise RecordError(
                f"These runs are about different targets: {name} is {values[0]} and {values[1]}.",
                code="other-target",
                remedy="Compare runs of one target: `awsfed runs list` shows them.",
            )


def _read_accounts(record: Record) -> frozenset[str] | None:
    """Return the accounts that the run read in full; None for a record that does not tell."""
    from awsfed_lib.core.coverage import accounts_read
    from awsfed_lib.core.tables import read_in_full

    if "coverage" in record.tables():
        return accounts_read(record.table("coverage"))
    return read_in_full(record.table("accounts")) if "accounts" in record.tables() else None


def _line(row: dict[Any, Any]) -> str:
    from awsfed_lib.core.view.escape import visible

    cell = f" {row['column']}: {row['before'] or 'nothing'} → {row['after'] or 'nothing'}" if row["column"] else ""
    return visible(f"{row['change']:<9}{row['row']}{cell}")


@runs.command()
@click.argument("run", required=False)
@click.option("--digest", metavar="SHA256", help="What `awsfed run` printed; proves that run.json is the one of that day.")
@click.option("--key", type=click.Path(path_type=Path), help="Public key; by default parameters/signing.pub where it is there.")
@click.option("--head", metavar="SHA256", help="Digest of a line of the chain that was kept elsewhere: it must still be there.")
@click.option(
    "--head-file",
    type=click.Path(path_type=Path),
    help="Keeps head and keys in a file that runs cannot write, and holds the next verify to it.",
)
@click.option("--at", metavar="ADDRESS", default="", help="Prove the records of this store (s3://… or abfs://…) instead.")
def verify(run: str | None, digest: str | None, key: Path | None, head_file: Path | None, **where_to: str | None) -> None:
    """Prove that records are as they were sealed, and in the chain: RUN alone, or all of them. Needs no network without --at.

    runs/index.html is no record: it is made anew whenever a run ends, and proves nothing.
    """
    import tempfile

    if run:
        if where_to["at"]:
            raise click.UsageError("A store is proven whole: leave RUN or --at out.")
        if head_file:
            raise click.UsageError("--head-file is for all records: leave RUN or it out.")
        _verify_one(_found(run), digest, key, where_to["head"])
    elif digest:
        raise click.UsageError("--digest is that of one record: name RUN too.")
    elif where_to["at"]:
        from awsfed_lib.edges.records import mirror

        with tempfile.TemporaryDirectory(prefix="awsfed-") as folder:
            mirror.fetch_all(_store(where_to["at"]), Path(folder) / "runs")
            _verify_all(Path(folder) / "runs", key, where_to["head"], head_file)
    else:
        _verify_all(_folder(), key, where_to["head"], head_file)


def _store(address: str) -> Store:
    from awsfed_lib.edges.records import store

    found = store.named(address)
    if found is None:
        raise click.UsageError(f"Name a store with --at, or set {store.VARIABLE}.")
    return found


@runs.command()
@click.argument("names", nargs=-1, metavar="[RUN]...")
@click.option("--at", metavar="ADDRESS", default="", help="The store, s3://… or abfs://…; by default that of AWSFED_RECORDS.")
def push(names: tuple[str, ...], at: str) -> None:
    """Put sealed records into a store: those named, or all that are not there yet."""
    from awsfed_lib.edges.records import catalogue, mirror, opening, signing

    store, signer = _store(at), signing.signer()
    there = set() if names else mirror.kept(store)
    chosen = [_found(name) for name in names] or [
        one for one in catalogue.records(_folder()) if one.folder.name not in there and one.run().get("sealed")
    ]
    for record in chosen:
        done = mirror.push(record, store, clock=opening.now, signer=signer)
        click.echo(f"{'pushed' if done else 'there already'}  {record.folder.name}")


@runs.command()
@click.argument("names", nargs=-1, required=True, metavar="RUN...")
@click.option("--at", metavar="ADDRESS", default="", help="The store, s3://… or abfs://…; by default that of AWSFED_RECORDS.")
def fetch(names: tuple[str, ...], at: str) -> None:
    """Bring records from a store to runs/, to show, compare or restore from; the chain of runs/ keeps a line for each."""
    from awsfed_lib.edges.records import mirror, opening, sealing, signing

    store, signer = _store(at), signing.signer()
    for name in names:
        record = mirror.fetch(store, name, _folder())
        sealing.take_up(record, clock=opening.now, signer=signer)
        click.echo(f"fetched  {record.folder}")


def _verify_one(record: Record, digest: str | None, key: Path | None, head: str | None) -> None:
    from awsfed_lib.edges.records import chain, proof, signing

    chained = (record.folder.parent / chain.FILE).exists()
    problems = proof.prove_one(record, keys=signing.public_keys(key) if chained or key else ())
    if head and head.lower() not in {line.digest for line in chain.read(record.folder.parent)}:
        problems.append(f"{chain.FILE}: {NO_HEAD}")
    if digest and record.digest != digest.lower():
        problems.append("run.json: not the file of that digest")
    if problems:
        raise RecordError("The record is not as it was sealed:\n  - " + "\n  - ".join(problems), where=str(record.folder))
    click.echo(f"unchanged  {record.folder.name}  verdict {record.run()['verdict']}  digest {record.digest}")
    if not chained:
        click.echo("by its own digests alone: there is no chain beside it", err=True)


def _verify_all(folder: Path, key: Path | None, head: str | None, head_file: Path | None) -> None:
    from awsfed_lib.edges.records import chain, proof, signing

    public = signing.public_keys(key)
    names = [signing.name_of(one) for one in public]
    proven = proof.prove(folder, keys=public)
    digests = {line.digest for line in chain.read(folder)}
    gone = [NO_HEAD] if head and head.lower() not in digests else []
    if head_file and head_file.exists():
        kept_head, *kept_keys = head_file.read_text(encoding="utf-8").split()
        gone += [] if kept_head in digests else [f"its end was cut off: the line that {head_file} keeps is gone"]
        gone += [f"the key {name}, which {head_file} keeps, is not among the public keys" for name in kept_keys if name not in names]
    broken = (*(proof.Broken(chain.FILE, why) for why in gone), *proven.broken)
    if broken:
        lines = "\n  - ".join(f"{one.where}: {one.problem}" for one in broken)
        raise RecordError(f"{len(broken)} problems in {proven.records} records:\n  - {lines}", code="records-changed", where=str(folder))
    click.echo(_proven(proven, ", ".join(names)))
    if head_file and proven.head:
        from awsfed_lib.edges.records import durable

        durable.replace(head_file, f"{' '.join([proven.head, *names])}\n".encode())


def _proven(proven: Proof, key: str) -> str:
    signed = f"signed by {key}" if key else f"{proven.unsigned} of {proven.lines} lines unsigned, and no public key to check the others"
    return f"unchanged  {proven.records} records, {proven.lines} lines of the chain, {signed}\nhead       {proven.head or 'none'}"


@runs.command()
@click.option("--before", type=click.DateTime(["%Y-%m-%d"]), required=True, help="What began before this day (UTC).")
@click.option("--approved", metavar="ID", default="", help="Id of the selection to take away, as the preview shows it.")
def retire(before: datetime, approved: str) -> None:
    """Take away old records, and old files with secrets in runs/.quarantine; the chain keeps a line for each.

    Shows what would go, and an id to approve.
    """
    from awsfed_lib.edges.records import opening, put_away, retention, signing

    chosen = retention.plan(_folder(), before.replace(tzinfo=UTC))
    lying = {one.name: one.told(opening.now()) for one in put_away.listed(_folder())}
    for name, why in (*chosen.kept, *((name, told) for name, told in lying.items() if name not in chosen.names)):
        click.echo(f"stays  {name}: {why}")
    for name in chosen.names:
        click.echo(f"goes   {name}{f': {lying[name]}' if name in lying else ''}")
    if approved:
        gone = retention.carry_out(_folder(), chosen, approved=approved, clock=opening.now, signer=signing.signer())
        click.echo(f"{gone} of them were taken away; the chain says so.")
        return
    command = f"; to take it away: awsfed runs retire --before {before:%Y-%m-%d} --approved {chosen.id}"
    click.echo(f"{len(chosen.names)} would go{command if chosen.names else ''}")


@runs.command()
@click.argument("file", type=click.Path(path_type=Path))
def key(file: Path) -> None:
    """Make an Ed25519 key in FILE to sign the chain with; its password comes from AWSFED_SIGNING_KEY_PASSWORD."""
    import os

    from awsfed_lib.edges.records import signing

    public = signing.make(file, password=os.environ.get(signing.PASSWORD_VARIABLE, ""))
    click.echo(f"private  {file}: export {signing.KEY_VARIABLE}={file} where runs are executed")
    click.echo(f"public   {public}: put it below parameters/ as {signing.PUBLIC_FILE}, and where auditors have it")
