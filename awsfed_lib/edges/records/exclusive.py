"""An open file held for one process alone, by the operating system, which lets go of it when that process dies.

Linux and macOS: flock(2), of the whole file. Windows: `_locking` of one byte, far behind what stands in the file, since
nobody else could read a byte that is held there; it answers EACCES when another has it
(learn.microsoft.com cpp/c-runtime-library/reference/locking).
"""

from __future__ import annotations

import importlib
import os
from typing import Any

from awsfed_lib.core.errors import RecordError

HELD_BYTE = 1 << 30


def taken(descriptor: int) -> bool:
    """Take the file, and return whether it was free. Raises RecordError where no lock can be had."""
    try:
        return _flock(importlib.import_module("fcntl"), descriptor)
    except ImportError:
        pass
    except OSError as error:
        raise _no_lock(error.strerror or str(error)) from error
    try:
        return _locking(importlib.import_module("msvcrt"), descriptor)
    except ImportError:
        raise _no_lock("this system has none that awsfed trusts") from None
    except OSError as error:
        raise _no_lock(error.strerror or str(error)) from error


def _flock(fcntl: Any, descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _locking(msvcrt: Any, descriptor: int) -> bool:
    os.lseek(descriptor, HELD_BYTE, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except PermissionError:
        return False
    return True


def _no_lock(why: str) -> RecordError:
    return RecordError(f"The lock cannot be taken: {why}; nothing was sent.", remedy="Put runs/ on a local file system.")
