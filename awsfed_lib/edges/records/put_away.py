"""What lies in runs/.quarantine: files that a secret was found in, as they were, by the run whose record they were taken out of."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from awsfed_lib.edges.records.leaks import QUARANTINE


class PutAway(NamedTuple):
    """The files put away of one run. `began`: when that run did (UTC), None when the name of the folder does not say."""

    folder: Path
    began: datetime | None
    files: int
    size: int

    @property
    def name(self) -> str:
        """Where it lies below runs/."""
        return f"{QUARANTINE}/{self.folder.name}"

    def told(self, now: datetime) -> str:
        """Say in words how much it is, and how old."""
        age = f"{(now - self.began).days:,} days old" if self.began else "its name does not say how old"
        return f"{self.files:,} files, {self.size:,} bytes, {age}"


def listed(runs: Path) -> tuple[PutAway, ...]:
    """List what lies there, oldest first."""
    return tuple(_of(folder) for folder in sorted((runs / QUARANTINE).glob("[!.]*")) if folder.is_dir() and not folder.is_symlink())


def _of(folder: Path) -> PutAway:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return PutAway(folder, _began(folder.name), len(files), sum(path.stat().st_size for path in files))


def _began(name: str) -> datetime | None:
    try:
        return datetime.strptime(name.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
