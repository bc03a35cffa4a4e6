"""What the parameters of recovery must look like: the name of a run, and whom or what an emergency revokes."""

from __future__ import annotations

import re

from awsfed_lib.core.settings.parameter_rules import text, wrong
from awsfed_lib.core.settings.secrecy import shown

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", re.ASCII)
_USER = re.compile(r"[^@\s/\\]+@[^@\s/\\]+\.[^@\s/\\]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_line = text(512)


def run_name(value: object) -> str:
    """Check the name of a run below runs/; "" is allowed. It is one name, so it cannot lead anywhere else."""
    line = _line(value)
    if line and (not _RUN.fullmatch(line) or ".." in line):
        hint = "give only what stands behind runs/" if "/" in line else "copy it from runs/"
        raise wrong(f"is no name of a run, such as 20261124T075100Z-04-approles-1f0c7f3a: {shown(line)}; {hint}.")
    return line


def person(value: object) -> str:
    """Check a user principal name or an object id; "" is allowed."""
    line = _line(value)
    if line and not _USER.fullmatch(line):
        raise wrong(f"must be a user name, such as britta.simon@contoso.com, or an object id in lower case: {shown(line)}.")
    return line
