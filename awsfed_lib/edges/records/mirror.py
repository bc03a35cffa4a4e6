"""Sealed records in a store: pushed once, chained there over all machines that push, fetched back, and proven.

A record is there when its run.json is, which goes last, and a line of the chain follows. The chain of the store is a
numbered object a line, each made on condition that nobody made it: two machines that push at once take turns, and no line
can be lost or written twice. A push that was cut off, or whose answer was lost, is completed by the next one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

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
COMING = ".coming"  # below runs/: what is not whole yet must not be taken for a record
THREADS = 8  # fewer than the connections that boto3 and requests keep open, which are ten
_TRIES = 100
Given = TypeVar("Given")
Found = TypeVar("Found")


def push(record: Record, store: Store, *, clock: Clock, signer: Signer | None) -> bool:
    """Put a sealed record into the store, and a line into its chain; False when both are there already.

    Raises RecordError for a record that is not as it was sealed, or when another of that name is there.
    """
    problems = record.changed()
    if problems:
        raise RecordError(f"The record is not as it was sealed: {problems[0]}.", where=record.folder.name, remedy="It was not pushed.")
    run = record.run()
    _at_once(lambda name: _put(record, store, name), run["files"])
    if not _put(record, store, RUN) and record.folder.name in _chained(store):
        return False
    _append(store, entry(record, run, record.digest), clock=clock, signer=signer)
    return True


def _at_once(work: Callable[[Given], Found], given: Iterable[Given]) -> list[Found]:
    """Do the work for all that is given, in some threads; the first error ends it."""
    with ThreadPoolExecutor(THREADS, thread_name_prefix="awsfed") as threads:
        return list(threads.map(work, given))


def _put(record: Record, store: Store, name: str) -> bool:
    """Put a file of a record; one with the same bytes may be there, from a push that was interrupted."""
    there, content = f"{record.folder.name}/{name}", (record.folder / name).read_bytes()
    if store.put_new(there, content):
        return True
    if hashlib.sha256(store.get(there)).digest() != hashlib.sha256(content).digest():
        raise RecordError("The store holds another object of that name.", where=f"{store.address}/{there}", remedy="Look who put it there.")
    return False


def _append(store: Store, fields: dict[str, object], *, clock: Clock, signer: Signer | None) -> None:
    """Append a line. One of this record at the end is ours, whose answer was lost, or that of a machine that pushes the same."""
    for _ in range(_TRIES):
        last = _last(store)
        if last and last.fields.get("run") == fields["run"]:
            return
        number, previous = (last.number + 1, last.digest) if last else (1, BEFORE_THE_FIRST)
        line = chain.written(number, clock, chain.SEALED, fields, previous, signer)
        if store.put_new(_name(number), line):
            return
    raise RecordError("Others append to the chain of the store all the time.", where=store.address, remedy="`awsfed runs push` again.")


def _name(number: int) -> str:
    return f"{CHAIN}{number:08d}.json"


def _last(store: Store) -> Line | None:
    """Return the last line of the chain, None for none; the lines before it are left to `read`."""
    names = list(store.names(CHAIN))
    if not names:
        return None
    line = chain.alone(store.get(names[-1]))
    if line is None or line.number != len(names) or names[-1] != _name(line.number):
        raise _damaged(store, len(names))
    return line


def read(store: Store) -> list[Line]:
    """Read the chain of the store. Raises RecordError that names the first line which is gone or not as it was written."""
    names = list(store.names(CHAIN))
    lines: list[Line] = []
    for name, content in zip(names, _at_once(store.get, names), strict=True):
        number, previous = len(lines) + 1, lines[-1].digest if lines else BEFORE_THE_FIRST
        line = parsed(content, number, previous) if name == _name(number) else None
        if line is None:
            raise _damaged(store, number)
        lines.append(line)
    return lines


def _damaged(store: Store, number: int) -> RecordError:
    what = f"Line {number} of the chain of the store is gone, or not as it was written."
    return RecordError(what, where=f"{store.address}/{_name(number)}", remedy="Nothing is appended to it: look who changed the store.")


def _chained(store: Store) -> set[str]:
    return {str(line.fields.get("run")) for line in read(store)}


def listed(store: Store) -> list[str]:
    """Return the names of all records that are whole in the store, oldest first."""
    return _whole(store.names(""))


def _whole(names: Iterable[str]) -> list[str]:
    return sorted(name.partition("/")[0] for name in names if name.partition("/")[2] == RUN)


def kept(store: Store) -> set[str]:
    """Return the names of the records that need no push: whole in the store, each with its line in the chain."""
    names = list(store.names(""))
    found = set(_whole(names))
    lines = sum(name.startswith(CHAIN) for name in names)
    return found if lines == len(found) else found & _chained(store)


def described(store: Store, newest: int | None = None) -> Mapping[str, Mapping[str, Any]]:
    """Return run.json of the records in the store, or of so many of the newest, by name; one that is damaged is a row that says so."""
    names = listed(store)[-(newest or 0) :]
    return dict(zip(names, _at_once(lambda name: _said(store.get(f"{name}/{RUN}")), names), strict=True))


def _said(content: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(content)
    except ValueError:
        said = None
    return said if isinstance(said, dict) else {"problem": f"{RUN} is damaged.", "verdict": "unfinished"}


def fetch(store: Store, name: str, runs: Path) -> Record:
    """Bring a record from the store to the folder `runs`, whole or not at all. Raises RecordError when it is there already."""
    folder, made = runs / name, durable.folder(runs / COMING) / name
    if folder.exists():
        raise RecordError("The record is there already.", where=str(folder))
    _bring(store, _of(store, name), made.parent, durable.replace)
    made.rename(folder)
    durable.sync_folder(runs)
    return Record(folder)


def _bring(store: Store, names: Iterable[str], runs: Path, write: Callable[[Path, bytes], object]) -> None:
    """Write what is kept under each name to its path below `runs`, by `write`."""
    paths = {name: _path(runs, name) for name in names}
    for folder in sorted({path.parent for path in paths.values()}):
        durable.folder(folder)
    _at_once(lambda name: write(paths[name], store.get(name)), paths)


def _path(runs: Path, name: str) -> Path:
    """Return the path of an object of a record. Raises ParameterError when it leads out of the folder of the record."""
    record, _, file = name.partition("/")
    return inside(inside(runs, record), file)


def _of(store: Store, name: str) -> list[str]:
    keys = list(store.names(f"{name}/"))
    if f"{name}/{RUN}" not in keys:
        raise RecordError(f"The store has no record {name}.", where=store.address, remedy="`awsfed runs list --at ADDRESS` shows them.")
    return keys


def fetch_all(store: Store, runs: Path) -> None:
    """Bring every record and the chain of the store to the empty folder `runs`, to be looked at and not to be kept.

    Nothing waits for the disk, which takes as long as the network does.
    """
    names = list(store.names(""))
    whole = set(_whole(names))
    _bring(store, (name for name in names if name.partition("/")[0] in whole), durable.folder(runs), Path.write_bytes)
    lines = _at_once(store.get, (name for name in names if name.startswith(CHAIN)))
    (runs / chain.FILE).write_bytes(b"".join(line + b"\n" for line in lines))
