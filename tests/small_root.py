"""A root of its own for one test: the small notebooks of tests/notebooks, one parameter file, and no runs yet."""

import shutil
from pathlib import Path

NOTEBOOKS = Path(__file__).parent / "notebooks"
TENANT, CLIENT = "8f2b1c34-1234-4abc-9def-1234567890ab", "9f2b1c34-1234-4abc-9def-1234567890ab"
PARAMETERS = f"""\
tenant_id: {TENANT}
client_id: {CLIENT}
workers: 7
include_accounts:
  - "012345678901"
"""


def make(folder: Path) -> Path:
    """Lay the root out in `folder`."""
    shutil.copytree(NOTEBOOKS, folder / "notebooks")
    (folder / "parameters").mkdir()
    (folder / "parameters" / "p.yml").write_text(PARAMETERS)
    return folder
