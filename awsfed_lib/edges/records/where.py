"""Where things are: everything hangs on the root that awsfed finds, and nothing on the working directory of a kernel.

JupyterLab works in `notebooks/`, papermill where its caller stood; both find the same root, so both write to the same
`runs/` and read the same `parameters/`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from awsfed_lib.core.errors import ParameterError

ROOT_VARIABLE = "AWSFED_ROOT"
_DEVICE = re.compile(r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9\u00b9\u00b2\u00b3])(?:\..*)?", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)


def root(*, start: Path | None = None, environment: Mapping[str, str] | None = None) -> Path:
    """Find the folder that holds notebooks/ and parameters/: $AWSFED_ROOT, else the nearest above the working directory.

    Raises ParameterError when there is none.
    """
    named = (os.environ if environment is None else environment).get(ROOT_VARIABLE, "")
    if named:
        return _named_root(named)
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if _is_root(folder):
            return folder
    raise ParameterError(
        "No folder with notebooks/ and parameters/ was found here or above.",
        where=str(here),
        remedy=f"Change to a clone of awsfed, or make such a folder with `awsfed init DIR`, or set {ROOT_VARIABLE}.",
    )


def _named_root(named: str) -> Path:
    folder = Path(named).expanduser().resolve()
    if not _is_root(folder):
        raise ParameterError(
            f"{ROOT_VARIABLE} names a folder without notebooks/ and parameters/.",
            where=str(folder),
            remedy="Correct the variable, or make the folder with `awsfed init DIR`.",
        )
    return folder


def _is_root(folder: Path) -> bool:
    return (folder / "notebooks").is_dir() and (folder / "parameters").is_dir()


def notebooks() -> Path:
    """ROOT/notebooks."""
    return root() / "notebooks"


def parameters() -> Path:
    """ROOT/parameters."""
    return root() / "parameters"


def runs() -> Path:
    """ROOT/runs: one folder a run."""
    return root() / "runs"


def locks() -> Path:
    """ROOT/runs/.locks: one file a locked object."""
    return runs() / ".locks"


def sandbox_file() -> Path:
    """ROOT/.sandbox/sandbox.json, which `awsfed sandbox` writes."""
    return root() / ".sandbox" / "sandbox.json"


def inside(base: Path, name: str) -> Path:
    """Return the path `name` under `base`, with every link followed, or ParameterError when it leads out of `base`."""
    if _unsafe(name):
        raise _outside(base, name)
    try:
        path = (base / PurePosixPath(name)).resolve()
    except (OSError, RuntimeError):  # links in a circle
        raise _outside(base, name) from None
    if not path.is_relative_to(base.resolve()):
        raise _outside(base, name)
    return path


def _unsafe(name: str) -> bool:
    """Whether the spelling alone condemns it: absolute, upwards, a drive, or characters that no file of ours has."""
    path = PurePosixPath(name)
    hidden = any(not char.isprintable() for char in name)
    foreign = not name or hidden or "\\" in name or ":" in name or name.startswith("~")
    return foreign or path.is_absolute() or ".." in path.parts or any(map(reserved, path.parts))


def reserved(part: str) -> bool:
    """Whether Windows takes a part of a path for something else: a device, or the name without its last dot or blank.

    learn.microsoft.com windows/win32/fileio/naming-a-file.
    """
    return bool(_DEVICE.fullmatch(part.strip(". "))) or part.endswith((".", " "))


def _outside(base: Path, name: str) -> ParameterError:
    return ParameterError(
        f"{name!r} is not a file below {base.name}/.",
        where=str(base),
        remedy=f"Name a file below {base.name}/, without a leading slash, without .. and without links that lead out.",
    )


def table_file(name: str) -> Path:
    """Return the file `name` of a parameter (group_map, families_file, …), which must lie under ROOT/parameters."""
    path = inside(parameters(), name)
    if not path.is_file():
        raise ParameterError(f"There is no file parameters/{name}.", where=str(path), remedy="Put it there, or correct the parameter.")
    return path


def slug(text: str, limit: int = 60) -> str:
    """`text` as a part of a file name: letters, digits, dot, dash and underscore, never beginning with a dot."""
    return "-".join(_NAME.findall(text)).strip("-.")[:limit] or "none"
