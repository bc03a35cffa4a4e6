"""`awsfed init`: the runbooks, parameter templates and schedules that come with awsfed, laid out in a folder of yours."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.edges.records import durable

LAID_OUT, FOLDERS = "_laid_out", ("notebooks", "parameters", "schedules")
SUFFIXES = (".ipynb", ".yml", ".csv", ".md", ".py", ".service", ".timer", "")  # the last for `crontab`
PUBLIC_FOLDER, PUBLIC_FILE = 0o755, 0o644


class Laid(NamedTuple):
    """What was laid out: the files that were made, and those that were there and were kept."""

    made: tuple[str, ...]
    kept: tuple[str, ...]


def source() -> Path:
    """Find the files: in the installed package, or around it in a clone. Raises ParameterError when they are nowhere."""
    package = Path(__file__).parents[2]
    for folder in (package / LAID_OUT, package.parent):
        if all((folder / name).is_dir() for name in FOLDERS):
            return folder
    raise ParameterError("This installation of awsfed holds no notebooks.", where=str(package), remedy="Install awsfed again.")


def lay_out(directory: Path) -> Laid:
    """Copy notebooks/, parameters/ and schedules/ into `directory`, and make it where it is missing; no file is ever overwritten."""
    target = directory.expanduser().resolve()
    origin = source()
    if target == origin.resolve():
        raise ParameterError("That folder is where the notebooks come from.", where=str(target), remedy="Name another one.")
    if target.exists() and not target.is_dir():
        raise ParameterError("There is a file of that name.", where=str(target), remedy="Name another folder.")
    made: list[str] = []
    kept: list[str] = []
    for name in FOLDERS:
        for path in sorted(filter(_ours, (origin / name).iterdir())):
            goal = target / name / path.name
            (kept if _there(goal, path) else made).append(f"{name}/{path.name}")
    return Laid(tuple(made), tuple(kept))


def _ours(path: Path) -> bool:
    return path.is_file() and path.suffix in SUFFIXES and not path.name.startswith(".")


def _there(goal: Path, path: Path) -> bool:
    """Whether `goal` was there already; otherwise it is a copy of `path` now."""
    try:
        goal.parent.mkdir(mode=PUBLIC_FOLDER, parents=True, exist_ok=True)
        if goal.exists() or goal.is_symlink():
            return True
        durable.write_new(goal, path.read_bytes())
        goal.chmod(PUBLIC_FILE)
    except OSError as error:
        raise ParameterError(f"The folder cannot be written: {error.strerror}.", where=str(goal), remedy="Name another one.") from None
    return False
