"""Are all records as they were sealed? Read from the chain and from the records alone, without any network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from awsfed_lib.core.errors import RecordError
from awsfed_lib.edges.records import catalogue, chain, signing
from awsfed_lib.edges.records.journal import BEFORE_THE_FIRST, Line
from awsfed_lib.edges.records.record import RUN, Record


class Broken(NamedTuple):
    """What is not as it was: the record or the chain, and what about it."""

    where: str
    problem: str


class Proof(NamedTuple):
    """What was checked, and what is broken. `head`: digest of the last line of the chain. `unsigned`: lines without a signature."""

    records: int
    lines: int
    head: str
    unsigned: int
    broken: tuple[Broken, ...]


def prove(runs: Path, *, key: Ed25519PublicKey | None = None) -> Proof:
    """Check every record below `runs` and the chain over them; with `key`, every signature too.

    Raises RecordError when the chain itself is damaged.
    """
    lines = chain.read(runs)
    found = catalogue.records(runs)
    broken = [
        *_signatures(lines, key),
        *_chained(lines, {record.folder.name: record for record in found}),
        *(Broken(record.folder.name, problem) for record in found for problem in problems(record)),
    ]
    unsigned = sum("signature" not in line.fields for line in lines)
    return Proof(len(found), len(lines), lines[-1].digest if lines else "", unsigned, tuple(broken))


def prove_one(record: Record, *, key: Ed25519PublicKey | None = None) -> list[str]:
    """List what is not as it was in one record, and what the chain beside it, where there is one, says otherwise.

    Raises RecordError when the chain itself is damaged.
    """
    name, runs = record.folder.name, record.folder.parent
    if not (runs / chain.FILE).exists():
        return problems(record)
    lines = chain.read(runs)
    own = [line for line in lines if line.fields.get("run") == name]
    signed = [one for one in _signatures(lines, key) if f"({name})" in one.problem]
    return [*problems(record), *(one.problem for one in (*signed, *_chained(own, {name: record})))]


def problems(record: Record) -> list[str]:
    """List what is not as it was sealed in one record, by the digests in its own run.json."""
    try:
        return record.changed()
    except RecordError as error:
        return [f"{RUN}: {error.what}"]


def unvouched(record: Record, lines: Sequence[Line]) -> str:
    """Say why a record does not count by itself and by the lines of the chain beside it; "" when both vouch for it."""
    found = problems(record)
    if found:
        return found[0]
    line = _last(record, lines)
    return "" if line and line.fields.get("sha256") == record.digest else "the chain does not know it so"


def contradicted(record: Record, lines: Sequence[Line]) -> str:
    """Say what the chain has against a record: "" when it does not know it, as a run that was killed, or knows it so."""
    line = _last(record, lines)
    digest = str(line.fields.get("sha256")) if line and line.event != chain.RETIRED else record.digest
    return "" if digest == record.digest or record.is_prepared(digest) else _why(record, digest)


def _last(record: Record, lines: Sequence[Line]) -> Line | None:
    return next((line for line in reversed(lines) if line.fields.get("run") == record.folder.name), None)


def _signatures(lines: Sequence[Line], key: Ed25519PublicKey | None) -> Iterator[Broken]:
    previous = BEFORE_THE_FIRST
    for line in lines:
        if key is not None and not _signed(line, previous, key):
            said = "is signed by another key" if line.fields.get("signature") else "is not signed"
            yield Broken(chain.FILE, f"line {line.number} ({line.fields.get('run', '')}) {said}")
        previous = line.digest


def _signed(line: Line, previous: str, key: Ed25519PublicKey) -> bool:
    content = chain.content(line.number, line.at, line.event, line.fields, previous)
    return signing.holds(key, str(line.fields.get("signature", "")), content)


def _chained(lines: Iterable[Line], found: dict[str, Record]) -> Iterator[Broken]:
    """Compare the chain with the folders: a record that is gone, another, new, or there although it was retired."""
    known: dict[str, Line] = {}
    for line in lines:
        if line.event != chain.EMPTIED:
            known[str(line.fields.get("run", ""))] = line
    for name, line in known.items():
        retired = line.event == chain.RETIRED
        if name not in found and not retired:
            yield Broken(name, "the record is gone, and the chain does not say that it was retired")
        elif name in found and retired:
            yield Broken(name, "the record is there, and the chain says that it was retired")
        elif name in found and found[name].digest != line.fields.get("sha256"):
            yield Broken(name, f"{RUN}: {_why(found[name], str(line.fields.get('sha256')))}")
    for name, record in found.items():
        if name not in known and _sealed(record):
            yield Broken(name, "the record is sealed, and the chain does not know it")


def _why(record: Record, digest: str) -> str:
    if record.is_prepared(digest):
        return "its sealing was cut off; the next run that is sealed completes it"
    return "changed; the chain has another digest of it"


def _sealed(record: Record) -> bool:
    try:
        return bool(record.run().get("sealed"))
    except RecordError:
        return False
