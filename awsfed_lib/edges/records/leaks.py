"""Looks for secrets in a whole record before it is sealed, by value and by form, and takes out what holds one.

A file with a secret in it goes, as it was, to `runs/.quarantine/RUN/` (for its owner only, and no part of any record: it
may be the only snapshot of a change that was sent), and a copy without the secret takes its place. The lines of a journal
are chained anew over what is left, so that what was sent stays told; a binary file leaves no copy.

A secret of this run, known by its value, is a leak wherever it stands, and so is the form of one in what people wrote. In
what was read from Graph and AWS a form is a guess about somebody's names: it is masked and counted, and nothing else
follows. The digest of such a file as it was stands in run.json, so that a restore can read it; of files with known secrets
none does, beside the copy it would tell a guess right or wrong.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from awsfed_lib.core.errors import RecordError
from awsfed_lib.core.settings.secrecy import ANYWHERE, removed
from awsfed_lib.core.tables import canonical
from awsfed_lib.edges.records import durable, journal, parquet
from awsfed_lib.edges.records.needles import Needles, Span
from awsfed_lib.edges.records.record import RUN, TABLES, Record
from awsfed_lib.edges.records.unfolded import FLAT, PLAIN, View

QUARANTINE = ".quarantine"
VERDICT = "leaked"
KNOWN = "a secret of this run"
MASKED, ORIGINALS = "masked", "originals"  # in run.json: places of what was masked, and the digests of the files as they were
_OF_SERVICES = re.compile(r"tables/.*|snapshots/.*|(?:plan|outcome)[^/]*\.json|journal\.jsonl|run\.json")
_JSON = (".ipynb", ".json", ".sarif")
_SAID = 5


class Leak(NamedTuple):
    """One place where a secret stood: the file, by its path in the record, the line, and what kind it is."""

    file: str
    line: int
    kind: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.kind}"


class Found(NamedTuple):
    """A span of bytes that holds a secret of this kind."""

    span: Span
    kind: str


def judged(record: Record, secrets: Collection[str], said: tuple[str, str], *, only: Collection[str] = ()) -> tuple[str, str]:
    """Sweep the record (`only` these files of it); return `said` (verdict, problem), or that it leaked, and where.

    This is the one call that everybody makes who seals a record.
    """
    leaks = sweep(record, secrets, only=only)
    if not leaks:
        return said
    before = record.run().get("leaks", [])
    record.update(leaks=[*before, *({"file": leak.file, "line": leak.line, "kind": leak.kind} for leak in leaks)])
    own = "" if said[0] == VERDICT else f"Otherwise the run is {said[0] or 'without a verdict'}. "
    return VERDICT, f"{in_words(leaks, record.folder.name)} {own}{said[1]}".strip()


def in_words(leaks: Collection[Leak], run: str) -> str:
    """Say where secrets stood, and what to do."""
    places = "; ".join(str(leak) for leak in sorted(set(leaks))[:_SAID])
    more = f"; and {len(set(leaks)) - _SAID} places more" if len(set(leaks)) > _SAID else ""
    return (
        f"A secret stood in the record: {places}{more}. It was taken out; the files as they were lie in"
        f" runs/{QUARANTINE}/{run}. Renew the secret, find out how it came there, and delete that folder."
    )


def sweep(record: Record, secrets: Collection[str], *, only: Collection[str] = ()) -> list[Leak]:
    """Take out of the record whatever holds one of `secrets` or looks like any; returns where it was, in order."""
    needles, leaks = Needles(secrets), list[Leak]()
    for path in files(record.folder):
        name = path.relative_to(record.folder).as_posix()
        if (only and name not in only) or not path.exists():  # taken out beside another
            continue
        content = path.read_bytes()
        hits = find(content, needles)
        places = [Leak(name, content.count(b"\n", 0, hit.span.start) + 1, hit.kind) for hit in hits]
        if hits and _OF_SERVICES.fullmatch(name) and all(hit.kind != KNOWN for hit in hits):
            _mask(record, path, needles, places)
        elif hits:
            leaks += places
            _take_out(record.folder, path, content, needles)
    return leaks


def _mask(record: Record, path: Path, needles: Needles, places: list[Leak]) -> None:
    """Mask what only looks like a secret in a file of what was read from services; say so in run.json."""
    beside = path.with_suffix(".parquet") if path.parent.name == TABLES else path
    originals = {each.relative_to(record.folder).as_posix(): each.read_bytes() for each in {path, beside} if each.exists()}
    _take_out(record.folder, path, originals[path.relative_to(record.folder).as_posix()], needles)
    run = record.run()
    masked = [*run.get(MASKED, []), *({"file": place.file, "line": place.line, "kind": place.kind} for place in places)]
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in originals.items() if name != RUN}
    record.update(**{MASKED: masked, ORIGINALS: run.get(ORIGINALS, {}) | digests})


def original(record: Record, name: str, sha256: str = "") -> bytes:
    """Return the file `name` of a record as it was before something in it was masked: the one of that digest, here or in the quarantine.

    Without a digest, the one that run.json holds counts. Raises RecordError when there is no such file any more.
    """
    here, away = record.folder / name, record.folder.parent / QUARANTINE / record.folder.name / name
    expected = sha256 or record.run().get(ORIGINALS, {}).get(name, "")
    for path in (here, away):
        content = path.read_bytes() if path.is_file() else None
        if content is not None and (not expected or hashlib.sha256(content).hexdigest() == expected):
            return content
    raise RecordError(f"{name} is not there as it was written.", where=record.folder.name)


def files(folder: Path) -> list[Path]:
    """List the files of a record, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not durable.is_temporary(path))


def find(content: bytes, needles: Needles) -> list[Found]:
    """Return where `content` holds a secret, in order; places that overlap are one."""
    hits: list[Found] = []
    for hit in sorted((*_by_value(content, needles), *_by_form(content))):
        if hits and hit.span.start < hits[-1].span.end:
            last = hits.pop()
            hit = Found(Span(last.span.start, max(last.span.end, hit.span.end)), last.kind)  # noqa: PLW2901  grows
        hits.append(hit)
    return hits


def _by_value(content: bytes, needles: Needles) -> Iterator[Found]:
    for view in (View.of(content), FLAT.view(content)):
        if view:
            yield from (Found(view.place(span), KNOWN) for span in needles.spans(view.content))


def _by_form(content: bytes) -> Iterator[Found]:
    for view in (View.of(content), PLAIN.view(content)):
        if view:
            text = view.content.decode("latin-1")  # one letter a byte, so that places are the same
            yield from (Found(view.place(Span(*place)), rule.kind) for rule in ANYWHERE for place in rule.places(text))


def _take_out(folder: Path, path: Path, content: bytes, needles: Needles) -> None:
    """Put the file away as it is, and a copy without the secrets in its place where one can be made."""
    _put_away(folder, path, content)

    def clean(text: str) -> str:
        return _cleaned(text.encode("utf-8", "surrogatepass"), needles).decode("utf-8", "surrogatepass")

    mended = _cleaned(content, needles) if _is_text(content) else b""
    if path.name == journal.FILE:
        mended = _chained_anew(path.parent, clean) or mended
    elif mended and path.suffix in _JSON and not _is_json(mended):
        mended = canonical(each_text(json.loads(content), clean)).encode()
    if mended and not find(mended, needles):
        durable.replace(path, mended)
    elif path.name == RUN:
        raise RecordError("A secret stands in run.json, and cannot be taken out of it.", where=str(folder), remedy="Delete the record.")
    else:
        path.unlink()
    for other in path.parent.glob(f"{path.stem}.*"):  # the same table in a form that cannot be searched
        beside = other.read_bytes()
        if other != path and not _is_text(beside):
            _put_away(folder, other, beside)
            _clean_table(other, clean)


def _cleaned(content: bytes, needles: Needles) -> bytes:
    return without(content, find(content, needles))


def _chained_anew(folder: Path, clean: Callable[[str], str]) -> bytes:
    """Return the journal with cleaned fields; b"" for one that cannot be read: then its bytes are cleaned, and it proves nothing."""
    try:
        lines = journal.read(folder)
    except RecordError:
        return b""
    made, previous = [], journal.BEFORE_THE_FIRST
    for line in lines:
        made.append(journal.sealed_line(line.number, line.at, line.event, each_text(line.fields, clean), previous))
        previous = hashlib.sha256(made[-1]).hexdigest()
    return b"".join(line + b"\n" for line in made)


def _clean_table(path: Path, clean: Callable[[str], str]) -> None:
    """Clean every cell of a Parquet file; one that cannot be read leaves no copy."""
    try:
        table = parquet.read(path)
    except RecordError:
        path.unlink()
        return
    for name in table.select_dtypes(include=["object", "str"]):
        table[name] = table[name].map(lambda cell: each_text(cell, clean)).astype(table[name].dtype)
    durable.replace(path, parquet.written(table))


def each_text(value: Any, change: Callable[[str], str]) -> Any:
    """Return a JSON value with every text in it changed, however deep, names of fields included."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {each_text(name, change): each_text(item, change) for name, item in value.items()}
    return [each_text(item, change) for item in value] if isinstance(value, list | tuple) else value


def _put_away(folder: Path, path: Path, content: bytes) -> None:
    place = folder.parent / QUARANTINE / folder.name / path.relative_to(folder)
    durable.folder(place.parent)
    durable.replace(place, content)


def without(content: bytes, hits: list[Found]) -> bytes:
    """Return `content` with every hit replaced by the name of its kind."""
    parts, at = [], 0
    for span, kind in hits:
        parts += [content[at : span.start], removed(kind).encode()]
        at = span.end
    return b"".join([*parts, content[at:]])


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True
