"""The mapping file of the parameter folder: which group gives which role, where the name template does not say it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.settings.table_file import LINE, lines, plain_name, read_table
from awsfed_lib.core.tables import GROUP_MAP, check, frame, rows

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KEYS = (("value",), ("role_arn",), ("account_id", "role_name"))


def read_mapping(raw: bytes, file: str = "group_map") -> pd.DataFrame:
    """Read the CSV into GROUP_MAP; every cell stays text.

    A line names a role by value, by role_arn, or by account_id and role_name, and a group by group_id or group_name.
    Raises ParameterError naming the line, TableError for an account id that is not 12 digits.
    """
    names = lines(raw, file).names
    unknown = [name for name in names if name and plain_name(name) not in GROUP_MAP.columns]
    if unknown or not names:
        words = f"The group map has the columns {', '.join(unknown) or '(none)'}."
        raise ParameterError(words, code="file-columns", where=file, remedy=_REMEDY)
    return frame(GROUP_MAP, [_checked(row) for row in read_table(raw, file, GROUP_MAP.columns)])


_REMEDY = "Its first line names the columns: value, or role_arn, or account_id and role_name; then group_id, or group_name."


def _checked(row: Mapping[str, str]) -> dict[str, str]:
    line, cells = row[LINE], {name: row[name] for name in GROUP_MAP.columns}
    if sum(all(cells[name] for name in key) for key in _KEYS) != 1:
        raise _wrong(f"Line {line} of the group map does not name a role in exactly one way.")
    if bool(cells["group_id"]) == bool(cells["group_name"]):
        raise _wrong(f"Line {line} of the group map does not name a group in exactly one way.")
    cells["group_id"] = cells["group_id"].lower()
    if cells["group_id"] and not _GUID.fullmatch(cells["group_id"]):
        raise _wrong(f"Line {line} of the group map: {cells['group_id']!r} is not an object id (a GUID).")
    return cells


def _wrong(words: str) -> ParameterError:
    return ParameterError(words, code="group-map-row", remedy=_REMEDY)


def resolve(mapping: pd.DataFrame | None, roles: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Map the values of ROLES rows to their line of GROUP_MAP; raises ParameterError when two lines name one role."""
    lines = rows(check(GROUP_MAP, mapping)) if mapping is not None else []
    by_key = _by_key(lines)
    found = {row["value"]: [by_key[key] for key in _role_keys(row) if key in by_key] for row in roles}
    twice = sorted(value for value, several in found.items() if len(several) > 1)
    if twice:
        raise ParameterError(f"Two lines of the group map name the role {twice[0]}.", remedy="One group a role: keep one of them.")
    return {value: several[0] for value, several in found.items() if several}


def unused(mapping: pd.DataFrame, roles: pd.DataFrame) -> pd.DataFrame:
    """Give the lines of GROUP_MAP that name none of the ROLES: a misspelt role, or one that was not read."""
    keys = {key for row in rows(roles) for key in _role_keys(row)}
    lines = rows(check(GROUP_MAP, mapping))
    return frame(GROUP_MAP, [line for line in lines if not keys & set(_by_key([line]))])


def _by_key(lines: list[dict[str, Any]]) -> dict[tuple[str, ...], dict[str, Any]]:
    named: dict[tuple[str, ...], dict[str, Any]] = {}
    for line in lines:
        key = next(tuple(line[name] for name in key) for key in _KEYS if all(line[name] for name in key))
        if key in named:
            raise ParameterError(f"Two lines of the group map name the role {' '.join(key)}.", remedy="One group a role: keep one of them.")
        named[key] = line
    return named


def _role_keys(row: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [tuple(row[name] for name in key) for key in _KEYS]
