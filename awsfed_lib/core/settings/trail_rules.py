"""What the parameters about CloudTrail must look like; each rule is as those of parameter_rules.py."""

from __future__ import annotations

import re

from awsfed_lib.core.settings.parameter_rules import complain, csv_file, patterns, text, wrong
from awsfed_lib.core.settings.secrecy import shown

LOOKUP = "lookup"
PARTITIONS = ("account", "region", "timestamp", "year", "month", "day")
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]", re.ASCII)
_TABLE = re.compile(r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+){0,2}", re.ASCII)


def entries_source(value: object) -> str:
    """Check where entries come from: "" for nowhere, "lookup", or a CSV below parameters/."""
    return LOOKUP if value == LOOKUP else csv_file(value)


def region_codes(value: object) -> tuple[str, ...]:
    """Check a list of region codes; none is allowed."""
    listed = patterns(value)
    complain([f"holds {shown(item)}, which is no region code such as us-east-1." for item in listed if not _REGION.fullmatch(item)])
    return listed


def table_name(value: object) -> str:
    """Check the name of a table in Athena, with its database and catalog where it has them."""
    line = text(200)(value)
    if not _TABLE.fullmatch(line):
        raise wrong(f"is no name of a table, such as cloudtrail_logs or security.cloudtrail_logs: {shown(line)}.")
    return line


def partition_columns(value: object) -> tuple[str, ...]:
    """Check a list of partition columns that a table of CloudTrail has."""
    listed = patterns(value)
    complain([f"holds {shown(item)}, which is none of {', '.join(PARTITIONS)}." for item in listed if item not in PARTITIONS])
    if "year" not in listed and {"month", "day"} & set(listed):
        raise wrong("has month or day without year.")
    return listed
