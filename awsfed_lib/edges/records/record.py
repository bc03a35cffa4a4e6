"""The record of one run: a folder of its own, made once, for its owner only, and never overwritten.

    runs/20261124T075100Z-04-approles-1f0c7f3a/
        run.json                what ran, on what, by whom, with which verdict; the digest of every other file
        record.ipynb .html      the executed runbook (when `awsfed run` ran it)
        plan.json outcome.json  what would change and what was sent
        journal.jsonl           intent before each request, answer after it; its last line is the seal
        snapshots/              the live objects before the change, as the service sent them
        tables/                 every table as CSV for people, and as Parquet, which is exact, for pandas, DuckDB and awsfed

A run.json without `sealed` is that of a run that did not end, whatever else stands in it.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from awsfed_lib.core.errors import RecordError
from awsfed_lib.core.view.safe_csv import csv_text
from awsfed_lib.edges.records import blocks, durable, journal, parquet
from awsfed_lib.edges.records.where import reserved, slug

RUN, TABLES, EXPORTS, SCHEMA = "run.json", "tables", "exports", "awsfed.run/1"
NO_JOURNAL = {"lines": 0, "head": ""}
_PREPARED = ".run.json.sealed.partial"  # a temporary: it is no file of the record
_MOST_IN_A_SECOND = 1000
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,119}", re.ASCII)


@dataclass(frozen=True)
class Record:
    """The folder of one run."""

    folder: Path

    def run(self) -> dict[str, Any]:
        """Return run.json; raises RecordError when it is missing or broken."""
        path = self.folder / RUN
        try:
            content = json.loads(path.read_bytes())
        except OSError as error:
            raise RecordError(f"The record has no {RUN}: {error.strerror}.", where=str(self.folder)) from error
        except ValueError:
            raise RecordError(f"{RUN} is damaged.", where=str(path)) from None
        if not isinstance(content, dict) or content.get("schema") != SCHEMA:
            raise RecordError(f"{RUN} is not of the form {SCHEMA}.", where=str(path))
        return content

    def update(self, **fields: object) -> dict[str, Any]:
        """Set `fields` in run.json, whole and on disk. Raises RecordError when the record is sealed."""
        run = self.run()
        if run.get("sealed"):
            raise RecordError("This record is sealed; it does not change any more.", where=str(self.folder))
        run |= fields
        durable.replace(self.folder / RUN, json_bytes(run))
        return run

    def keep_table(self, name: str, table: pd.DataFrame) -> Path:
        """Keep a table as tables/NAME.csv (text that no spreadsheet takes for a formula) and NAME.parquet (exact)."""
        folder = durable.folder(self.folder / TABLES)
        path = self._free(f"{TABLES}/{name}", ".parquet", ".csv")
        durable.write_new(path, parquet.written(table))
        durable.write_new(folder / f"{path.stem}.csv", csv_text(table).encode("utf-8", "backslashreplace"))
        return path

    def tables(self) -> dict[str, Path]:
        """Return where each table is kept exactly, by its name."""
        return {path.stem: path for path in sorted((self.folder / TABLES).glob("*.parquet"))}

    def table(self, name: str) -> pd.DataFrame:
        """Read a table as it was kept. Raises RecordError when there is none, or when it cannot be read."""
        path = self.tables().get(name)
        if path is None:
            raise RecordError(f"That run kept no table {name}.", where=self.folder.name)
        return parquet.read(path)

    def keep_text(self, name: str, text: str) -> Path:
        """Keep the text of a CSV as tables/NAME.csv, as it is."""
        durable.folder(self.folder / TABLES)
        path = self._free(f"{TABLES}/{name}", ".csv")
        durable.write_new(path, text.encode())
        return path

    def keep_export(self, name: str, content: str | bytes) -> Path:
        """Keep a text or a file for another tool as exports/NAME, as it is."""
        path = durable.folder(self.folder / EXPORTS) / _named(name)
        durable.write_new(path, content.encode() if isinstance(content, str) else content)
        return path

    def keep_json(self, name: str, value: object) -> Path:
        """Keep a JSON value as NAME.json; a name that is taken gets a number."""
        path = self._free(name, ".json")
        durable.write_new(path, json_bytes(value))
        return path

    def _free(self, name: str, *suffixes: str) -> Path:
        """Return the first of NAME, NAME-2, NAME-3 … that no file has with any of the suffixes, with the first suffix."""
        _named(name.removeprefix(f"{TABLES}/"))
        for count in range(1, _MOST_IN_A_SECOND):
            stem = self.folder / (name if count == 1 else f"{name}-{count}")
            if not any(stem.with_name(stem.name + suffix).exists() for suffix in suffixes):
                return stem.with_name(stem.name + suffixes[0])
        raise RecordError(f"The record holds {name} too many times.", where=str(self.folder))

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of every file but run.json, by its path in the record."""
        files = sorted(path for path in self.folder.rglob("*") if _is_plain(path) and not durable.is_temporary(path))
        return {path.relative_to(self.folder).as_posix(): _sha256(path) for path in files if path != self.folder / RUN}

    def _foreign(self) -> list[str]:
        """List what no record has: links, pipes, and folders with nothing in them."""
        inside = sorted(path for path in self.folder.rglob("*") if not _is_plain(path))
        folders = [path for path in inside if path.is_dir() and not path.is_symlink() and any(path.iterdir())]
        return [path.relative_to(self.folder).as_posix() for path in inside if path not in folders]

    def _temporaries(self) -> list[Path]:
        return sorted(filter(durable.is_temporary, self.folder.rglob("*")))

    def seal(self, **fields: object) -> dict[str, Any]:
        """Finish run.json with `fields`, the digest of every file and the end of the journal; nothing changes after this."""
        run = self.finished(**fields)
        self.complete(self.prepare(run))
        return run

    def finished(self, **fields: object) -> dict[str, Any]:
        """Return run.json as the seal leaves it; takes away what a killed write left. Raises RecordError when the record is sealed."""
        run = self.run()
        if run.get("sealed"):
            raise RecordError("This record is sealed; it does not change any more.", where=str(self.folder))
        for path in self._temporaries():
            path.unlink()
        lines = journal.read(self.folder) if (self.folder / journal.FILE).exists() else []
        head = lines[-1].digest if lines else ""
        files = self.digests()
        parts = {name: blocks.digests(self.folder / name) for name in files}
        said = {
            "journal": {"lines": len(lines), "head": head},
            "files": files,
            "blocks": {name: part for name, part in parts.items() if part},
        }
        return {**run, **fields, **said, "sealed": True}

    def prepare(self, run: Mapping[str, object]) -> str:
        """Put the sealed run.json on disk beside the one that it will take the place of; returns its SHA-256."""
        durable.replace(self.folder / _PREPARED, json_bytes(run))
        return _sha256(self.folder / _PREPARED)

    def is_prepared(self, digest: str) -> bool:
        """Whether a run.json of this digest waits to take its place: what a kill in the middle of sealing leaves."""
        path = self.folder / _PREPARED
        return path.is_file() and _sha256(path) == digest

    def complete(self, digest: str) -> None:
        """Put the prepared run.json in its place, if it is the one of that digest."""
        if self.is_prepared(digest):
            (self.folder / _PREPARED).replace(self.folder / RUN)
            durable.sync_folder(self.folder)

    def changed(self) -> list[str]:
        """List what differs from the sealed record, in words: files that are changed (and where), gone or new, a damaged journal."""
        run = self.run()
        if not run.get("sealed"):
            return [f"{RUN}: the run was never sealed"]
        then, now, parts = run.get("files", {}), self.digests(), run.get("blocks", {})
        problems = [f"{name}: gone" for name in then if name not in now]
        problems += [f"{name}: new" for name in now if name not in then]
        problems += [f"{path.relative_to(self.folder).as_posix()}: new" for path in self._temporaries()]
        problems += [f"{name}: neither a file nor a folder with files" for name in self._foreign()]
        moved = [name for name in now if name in then and now[name] != then[name]]
        problems += [f"{name}: changed{blocks.where(self.folder / name, parts.get(name))}" for name in moved]
        return sorted(problems) + _journal_problem(self.folder, run)

    @property
    def digest(self) -> str:
        """SHA-256 of run.json, which holds the digests of all other files: who keeps it elsewhere can prove the record."""
        return _sha256(self.folder / RUN)


def _named(name: str) -> str:
    """Return the name of a file of a record; raise RecordError for one that leads out of it, or that some system cannot have."""
    if not _NAME.fullmatch(name) or reserved(name):
        raise RecordError(f"{name[:80]!r} is no name for a file of a record.", remedy="Take letters, digits, dot, dash and underscore.")
    return name


def create(runs: Path, name: str, run: Mapping[str, object]) -> Record:
    """Make the folder of a run below `runs` and its first run.json. A name that is taken gets a number."""
    durable.folder(runs)
    for count in range(1, _MOST_IN_A_SECOND):
        folder = runs / (name if count == 1 else f"{name}-{count}")
        try:
            durable.new_folder(folder)
        except FileExistsError:
            continue
        durable.write_new(folder / RUN, json_bytes({"schema": SCHEMA, **run, "verdict": "", "sealed": False}))
        return Record(folder)
    raise RecordError(f"There are too many runs named {name}.", where=str(runs))


def name_of(runbook: str, target: str, now: datetime) -> str:
    """Return the name of a run's folder: when (UTC), which runbook, on what."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{slug(runbook)}-{slug(target, 40)}"


def json_bytes(value: object) -> bytes:
    """Return `value` as readable JSON; raises RecordError for what JSON cannot say exactly."""
    try:
        return (json.dumps(value, indent=1, ensure_ascii=True, allow_nan=False, default=_as_json) + "\n").encode()
    except (TypeError, ValueError) as error:
        raise RecordError(f"The record cannot hold this value: {error}.") from None


def _as_json(value: object) -> object:
    if isinstance(value, pd.Timestamp | datetime):
        return value.isoformat()
    if isinstance(value, tuple | set | frozenset):
        return sorted(value) if isinstance(value, set | frozenset) else list(value)
    if hasattr(value, "item"):  # numpy scalars
        return value.item()
    raise TypeError(f"a {type(value).__name__} has no JSON form")


def _is_plain(path: Path) -> bool:
    """Whether it is a file itself, and no link to one, whose bytes somebody may change elsewhere."""
    return stat.S_ISREG(path.lstat().st_mode)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _journal_problem(folder: Path, run: Mapping[str, Any]) -> list[str]:
    expected = run.get("journal") or {"lines": -1}
    if expected == NO_JOURNAL:
        return []
    try:
        lines = journal.read(folder)
    except RecordError as error:
        return [f"{journal.FILE}: {error.what}"]
    same = len(lines) == expected.get("lines") and bool(lines) and lines[-1].digest == expected.get("head")
    return [] if same else [f"{journal.FILE}: lines are gone"]
