"""Are all records as they were sealed? Read from the chain and from the records alone, without any network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

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


@dataclass(frozen=True)
class Vouching:
    """What vouches for the records of a folder: its chain, and where parameters/signing.pub is there, the keys in it."""

    lines: tuple[Line, ...]
    keys: tuple[Ed25519PublicKey, ...] = ()

    @classmethod
    def of(cls, runs: Path) -> Vouching:
        """Read the chain of `runs` and the public keys. Raises RecordError when one of them is damaged."""
        return cls(tuple(chain.read(runs)), signing.public_keys())

    @cached_property
    def untrusted(self) -> Mapping[int, str]:
        """The lines that no key of ours vouches for, by number, and why.

        A signature covers the digest of the line before, so the first one vouches for all lines before it: a chain may have begun
        without a key. From there on every line needs a signature of its own.
        """
        previous = [BEFORE_THE_FIRST, *(line.digest for line in self.lines)]
        signed = [self._signed(line, before) for line, before in zip(self.lines, previous, strict=False)]
        begin = signed.index(True) if True in signed else 0
        why = {line.number: "is signed by another key" if line.fields.get("signature") else "is not signed" for line in self.lines}
        return {number: why[number] for number in range(begin + 1, len(signed) + 1) if not signed[number - 1]} if self.keys else {}

    def _signed(self, line: Line, previous: str) -> bool:
        content = chain.content(line.number, line.at, line.event, line.fields, previous)
        return any(signing.holds(key, str(line.fields.get("signature", "")), content) for key in self.keys)

    def last(self, name: str) -> Line | None:
        """Return the newest line about the record `name`."""
        return next((line for line in reversed(self.lines) if line.fields.get("run") == name), None)

    def denied(self, record: Record) -> str:
        """Say why the chain does not know this run.json so; "" when it does. The other files of the record are not looked at."""
        line = self.last(record.folder.name)
        if line is None or line.event == chain.RETIRED or line.fields.get("sha256") != record.digest:
            return "the chain does not know it so"
        return f"line {line.number} of the chain {self.untrusted[line.number]}" if line.number in self.untrusted else ""


def read_sealed(record: Record, vouching: Vouching) -> dict[str, Any]:
    """Return run.json of a record that is evidence: sealed, every file as it was, known so to the chain, and signed where keys are given.

    All that takes the word of a record goes through here. Raises RecordError (`record-not-evidence`) that says why it is none.
    """
    problem = next(iter(problems(record)), "") or vouching.denied(record)
    if problem:
        remedy = "`awsfed runs verify` says more. A record that is not as it was sealed proves nothing."
        raise RecordError(f"The record does not count: {problem}.", code="record-not-evidence", where=record.folder.name, remedy=remedy)
    return record.run()


def prove(runs: Path, *, keys: Sequence[Ed25519PublicKey] = ()) -> Proof:
    """Check every record below `runs` and the chain over them; with `keys`, the signatures too.

    Raises RecordError when the chain itself is damaged.
    """
    vouching = Vouching(tuple(chain.read(runs)), tuple(keys))
    found = catalogue.records(runs)
    broken = [
        *_signatures(vouching),
        *_chained(vouching.lines, {record.folder.name: record for record in found}),
        *(Broken(record.folder.name, problem) for record in found for problem in problems(record)),
    ]
    lines = vouching.lines
    unsigned = sum("signature" not in line.fields for line in lines)
    return Proof(len(found), len(lines), lines[-1].digest if lines else "", unsigned, tuple(broken))


def prove_one(record: Record, *, keys: Sequence[Ed25519PublicKey] = ()) -> list[str]:
    """List what is not as it was in one record, and what the chain beside it, where there is one, says otherwise.

    Raises RecordError when the chain itself is damaged.
    """
    name, runs = record.folder.name, record.folder.parent
    if not (runs / chain.FILE).exists():
        return problems(record)
    vouching = Vouching(tuple(chain.read(runs)), tuple(keys))
    own = [line for line in vouching.lines if line.fields.get("run") == name]
    signed = [one for one in _signatures(vouching) if f"({name})" in one.problem]
    return [*problems(record), *(one.problem for one in (*signed, *_chained(own, {name: record})))]


def problems(record: Record) -> list[str]:
    """List what is not as it was sealed in one record, by the digests in its own run.json."""
    try:
        return record.changed()
    except RecordError as error:
        return [f"{RUN}: {error.what}"]


def contradicted(record: Record, vouching: Vouching) -> str:
    """Say what the chain has against a record: "" when it does not know it, as a run that was killed, or knows it so."""
    line = vouching.last(record.folder.name)
    if line is None or line.event == chain.RETIRED:
        return ""
    if line.number in vouching.untrusted:
        return f"line {line.number} of the chain {vouching.untrusted[line.number]}"
    digest = str(line.fields.get("sha256"))
    return "" if digest == record.digest or record.is_prepared(digest) else _why(record, digest)


def _signatures(vouching: Vouching) -> Iterator[Broken]:
    for line in vouching.lines:
        if line.number in vouching.untrusted:
            yield Broken(chain.FILE, f"line {line.number} ({line.fields.get('run', '')}) {vouching.untrusted[line.number]}")


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
