"""Looks for secrets in a whole record before it is sealed, by value and by form, and takes out what holds one.

A file with a secret in it goes, as it was, to `runs/.quarantine/RUN/` (for its owner only, and no part of any record: it
may be the only snapshot of a change that was sent), and a copy without the secret takes its place. A journal that was
altered proves nothing, and a binary file cannot be mended: these leave no copy. The run has the verdict `leaked`, and its
record says file, line and kind, never the value.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from awsfed_lib.core.errors import RecordError
from awsfed_lib.core.settings.secrecy import ANYWHERE, removed
from awsfed_lib.edges.records import durable, journal
from awsfed_lib.edges.records.needles import Needles, Span
from awsfed_lib.edges.records.record import RUN, Record
from awsfed_lib.edges.records.unfolded import FLAT, PLAIN, View

QUARANTINE = ".quarantine"
VERDICT = "leaked"
KNOWN = "a secret of this run"
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
        leaks += [Leak(name, content.count(b"\n", 0, hit.span.start) + 1, hit.kind) for hit in hits]
        if hits:
            _take_out(record.folder, path, content, hits)
    return leaks


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


def _take_out(folder: Path, path: Path, content: bytes, hits: list[Found]) -> None:
    """Put the file away as it is, and a copy without the secrets in its place where one can be made."""
    _put_away(folder, path, content)
    mended = without(content, hits)
    if path.name != journal.FILE and _is_text(content) and _whole(path, mended):
        durable.replace(path, mended)
    elif path.name == RUN:
        raise RecordError("A secret stands in run.json, and cannot be taken out of it.", where=str(folder), remedy="Delete the record.")
    else:
        path.unlink()
    for other in path.parent.glob(f"{path.stem}.*"):  # the same table in a form that cannot be searched
        beside = other.read_bytes()
        if other != path and not _is_text(beside):
            _put_away(folder, other, beside)
            other.unlink()


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


def _whole(path: Path, content: bytes) -> bool:
    """Whether a mended file is still what its name says."""
    if path.suffix not in _JSON:
        return True
    try:
        json.loads(content)
    except ValueError:
        return False
    return True
