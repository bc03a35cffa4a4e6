"""Digests of the blocks of a large file, so that a change can be told to within 64 KiB."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SIZE = 1 << 16


def digests(path: Path) -> dict[str, Any]:
    """Return the size in bytes and the SHA-256 of each block of 64 KiB; nothing for a file of one block."""
    size = path.stat().st_size
    return {"bytes": size, "sha256": _all(path)} if size > SIZE else {}


def _all(path: Path) -> list[str]:
    with path.open("rb") as file:
        return [hashlib.sha256(block).hexdigest() for block in iter(lambda: file.read(SIZE), b"")]


def where(path: Path, then: dict[str, Any] | None) -> str:
    """Say where a changed file first differs from `then`, its blocks when it was sealed; "" where it had one block only."""
    if not then or then.keys() != {"bytes", "sha256"}:
        return ""
    now, size = _all(path), path.stat().st_size
    first = _first_other(now, then["sha256"]) * SIZE
    grown = "" if size == then["bytes"] else f", and has {size:,} bytes instead of {then['bytes']:,}"
    return f" between the bytes {first:,} and {min(first + SIZE, max(size, then['bytes'])):,}{grown}"


def _first_other(now: Sequence[str], then: Sequence[str]) -> int:
    return next((place for place, (one, other) in enumerate(zip(now, then, strict=False)) if one != other), min(len(now), len(then)))
