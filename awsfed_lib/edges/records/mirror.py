"""Sealed records in a store: pushed once, chained there over all machines that push, fetched back, and proven.

A record is there when its run.json is, which goes last. The chain of the store is a numbered object a line, each made on
condition that nobody made it: two machines that push at once take turns, and no line can be lost or written twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from awsfed_lib.core.errors import RecordError
from awsfed_lib.edges.records import chain, durable
from awsfed_lib.edges.records.chain import Clock
from awsfed_lib.edges.records.journal import BEFORE_THE_FIRST, Line, parsed
from awsfed_lib.edges.records.record import RUN, Record
from awsfed_lib.edges.records.sealing import entry
from awsfed_lib.edges.records.signing import Signer
from awsfed_lib.edges.records.store import Store
from awsfed_lib.edges.records.where import inside

CHAIN = "chain/"
_TRIES = 100


def push(record: Record, store: Store, *, clock: Clock, signer: Signer | None) -> bool:
    """Put a sealed record into the store, and a line into its chain; False when it is there already.

    Raises RecordError for a record that is not as it was sealed, or when another of that name is there.
    """
    problems = record.changed()
    if problems:
        raise RecordError(f"The record is not as it was sealed: {problems[0]}.", where=record.folder.name, remedy="It was not pushed.")
    run = record.run()
    for name in run["files"]:
        _put(store, f"{record.folder.name}/{name}", (record.folder / name).read_bytes())
    if not _put(store, f"{record.folder.name}/{RUN}", (record.folder / RUN).read_bytes()):
        return False
    _append(store, entry(record, run), clock=clock, signer=signer)
    return True


def _put(store: Store, name: str, content: bytes) -> bool:
    """Put an object; one with the same bytes may be there, from a push that was interrupted."""
    if store.put_new(name, content):
        return True
    if hashlib.sha256(store.get(name)).digest() != hashlib.sha256(content).digest():
        raise RecordError("The store holds another object of that name.", where=f"{store.address}/{name}", remedy="Look who put it there.")
    return False


def _append(store: Store, fields: dict[str, object], *, clock: Clock, signer: Signer | None) -> None:
    for _ in range(_TRIES):
        lines = read(store)
        number, previous = (lines[-1].number + 1, lines[-1].digest) if lines else (1, BEFORE_THE_FIRST)
        line = chain.written(number, clock, chain.SEALED, fields, previous, signer)
        if store.put_new(f"{CHAIN}{number:08d}.json", line):
            return
    raise RecordError("Others append to the chain of the store all the time.", where=store.address, remedy="`awsfed runs push` again.")


def read(store: Store) -> list[Line]:
    """Read the chain of the store. Raises RecordError that names the first line which is gone or not as it was written."""
    lines: list[Line] = []
    for name in sorted(store.names(CHAIN)):
        number, previous = len(lines) + 1, lines[-1].digest if lines else BEFORE_THE_FIRST
        line = parsed(store.get(name), number, previous) if name == f"{CHAIN}{number:08d}.json" else None
        if line is None:
            raise RecordError(
                f"Line {number} of the chain of the store is gone, or not as it was written.", where=f"{store.address}/{name}"
            )
        lines.append(line)
    return lines


def listed(store: Store) -> list[str]:
    """Return the names of all records that are whole in the store, oldest first."""
    return sorted(name.partition("/")[0] for name in store.names("") if name.partition("/")[2] == RUN)


def fetch(store: Store, name: str, runs: Path) -> Record:
    """Bring a record from the store to the folder `runs`, whole or not at all. Raises RecordError when it is there already."""
    folder, made = runs / name, durable.folder(runs) / f".{name}.partial"
    if folder.exists():
        raise RecordError("The record is there already.", where=str(folder))
    for key in _of(store, name):
        path = inside(made, key.partition("/")[2])
        durable.folder(path.parent)
        durable.replace(path, store.get(key))
    made.rename(folder)
    durable.sync_folder(runs)
    return Record(folder)


def _of(store: Store, name: str) -> Iterator[str]:
    keys = list(store.names(f"{name}/"))
    if f"{name}/{RUN}" not in keys:
        raise RecordError(f"The store has no record {name}.", where=store.address, remedy="`awsfed runs list --at ADDRESS` shows them.")
    yield from keys


def fetch_all(store: Store, runs: Path) -> None:
    """Bring every record and the chain of the store to the empty folder `runs`."""
    for name in listed(store):
        fetch(store, name, runs)
    durable.write_new(durable.folder(runs) / chain.FILE, b"".join(store.get(name) + b"\n" for name in sorted(store.names(CHAIN))))
