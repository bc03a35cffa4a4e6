"""Files that are either whole and on disk, or not there: temporary file, fsync, rename, fsync of the folder.

A record that a power cut or a full disk can halve is no record, and a file of a finished run is never overwritten.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from awsfed_lib.core.errors import RecordError

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
_UNFINISHED = ".partial"
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}


def new_folder(path: Path) -> None:
    """Make the folder `path`, for its owner only. Raises FileExistsError when it is there."""
    with _recorded(path):
        path.mkdir(mode=PRIVATE_FOLDER)
        sync_folder(path.parent)


def folder(path: Path) -> Path:
    """Make the folder `path` and those above it where they are missing, for their owner only."""
    with _recorded(path):
        for missing in [part for part in (*reversed(path.parents), path) if not part.exists()]:
            missing.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            sync_folder(missing.parent)
    return path


def write_new(path: Path, content: bytes) -> None:
    """Write a file that must not be there yet; returns when it is on disk. Raises RecordError, and then leaves nothing."""
    with _recorded(path), _temporary(path, content) as temporary:
        try:
            os.link(temporary, path, follow_symlinks=False)
        except FileExistsError:
            raise RecordError("The file is there already, and a record is never overwritten.", where=str(path)) from None
        except (OSError, NotImplementedError) as error:  # the latter: `follow_symlinks` on some systems (docs.python.org os.link)
            if isinstance(error, OSError) and error.errno not in _NO_LINKS:
                raise
            _rename_new(temporary, path)


def _rename_new(temporary: Path, path: Path) -> None:
    """Where the file system has no hard links: look, then rename; the folder of a run has one writer at a time."""
    if os.path.lexists(path):
        raise RecordError("The file is there already, and a record is never overwritten.", where=str(path))
    temporary.rename(path)


def replace(path: Path, content: bytes) -> None:
    """Write a file, whole, in place of the one that is there; for the files that a run rewrites until it is sealed."""
    with _recorded(path), _temporary(path, content) as temporary:
        temporary.replace(path)


@contextmanager
def _temporary(path: Path, content: bytes) -> Iterator[Path]:
    """Put `content` on disk in a file beside `path`, which is gone afterwards unless it was renamed."""
    temporary = path.with_name(f".{path.name[:80]}.{secrets.token_hex(4)}{_UNFINISHED}")
    try:
        with os.fdopen(opened(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
        sync_folder(path.parent)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def opened(path: Path, flags: int) -> int:
    """Open a file for its owner only, following no link at its end; its bytes are what is written, on Windows too."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0), PRIVATE_FILE)


def is_temporary(path: Path) -> bool:
    """Whether a file is one that `write_new` and `replace` have not finished, or were killed at; files of ours never have such names."""
    return path.name.startswith(".") and path.name.endswith(_UNFINISHED)


def sync_folder(path: Path) -> None:
    """Put the names in a folder on disk; Windows has no such call, and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _recorded(path: Path) -> Iterator[None]:
    """Turn the system's refusals into ours, except that a folder is there already."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise not_recorded(path, error) from error


def not_recorded(path: Path, error: OSError) -> RecordError:
    """Return the RecordError for a write that the system refused."""
    return RecordError(
        f"The record cannot be written: {error.strerror or error}.",
        where=str(path),
        remedy="Make room or mend the permissions of runs/, then run again: the runbook goes on from what is live.",
    )
