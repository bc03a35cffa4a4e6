"""Findings for other tools: SARIF for code scanning, JUnit for CI, JSON for everything else.

SARIF 2.1.0: docs.oasis-open.org/sarif/sarif/v2.1.0; a finding is about objects in the cloud, so its place is a logical
location, and its own id is the fingerprint by which a scanner knows it again. JUnit: the format of Apache Ant's task.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pandas as pd

from awsfed_lib.core.coverage import WHOLE, Extent, told
from awsfed_lib.core.settings.verdict import reaches
from awsfed_lib.core.tables import rows

SARIF_VERSION = "2.1.0"
LEVELS: Mapping[str, str] = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "note": "note"}
SCORES: Mapping[str, str] = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0", "note": "0.0"}
"""What GitHub's code scanning reads as security-severity: 9.0 and more is critical, 7.0 high, 4.0 medium."""
_CONTROL = dict.fromkeys([*(code for code in range(32) if code not in (9, 10, 13)), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)])


def files(findings: pd.DataFrame, *, fail_on: str, extent: Extent = WHOLE) -> dict[str, str]:
    """Give the findings (FINDINGS or JUDGED) as files: name to text. `fail_on`: what JUnit counts as a failure.

    `extent`: how much was read. What was not is a notification in SARIF, a skipped case in JUnit, and where it makes the run
    not good, an unsuccessful invocation and an error: a tool must not take fewer findings for an improvement.
    """
    found = rows(findings)
    return {
        "findings.sarif": _json(sarif(found, extent)),
        "findings.json": _json({"findings": found, "coverage": told(extent.read), "gaps": extent.gaps}),
        "findings.junit.xml": junit(found, fail_on=fail_on, extent=extent),
    }


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=True) + "\n"


def sarif(found: Sequence[Mapping[str, Any]], extent: Extent = WHOLE) -> dict[str, Any]:
    """Write findings as a SARIF log: a rule for each check, a result for each finding, a suppression where one is accepted."""
    left = [{"level": "warning", "message": {"text": line}} for line in _left(extent)]
    left += [{"level": "error", "message": {"text": gap}} for gap in extent.gaps]
    invocation = {"executionSuccessful": not extent.gaps, "toolExecutionNotifications": left}
    checks = {row["check"]: row for row in found}
    rules = [_rule(name, checks[name]) for name in sorted(checks)]
    driver = {"name": "awsfed", "rules": rules}
    results = [_result(row, [rule["id"] for rule in rules]) for row in found]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": SARIF_VERSION,
        "runs": [{"tool": {"driver": driver}, "invocations": [invocation], "columnKind": "unicodeCodePoints", "results": results}],
    }


def _rule(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": name.replace(" ", "-"),
        "shortDescription": {"text": name},
        "help": {"text": row["remedy"]},
        "defaultConfiguration": {"level": LEVELS[row["severity"]]},
        "properties": {"security-severity": SCORES[row["severity"]], "tags": ["security", row["severity"]]},
    }


def _result(row: Mapping[str, Any], rules: Sequence[str]) -> dict[str, Any]:
    rule = row["check"].replace(" ", "-")
    accepted = str(row.get("accepted", ""))
    suppressed = {"suppressions": [{"kind": "external", "status": "accepted", "justification": accepted}]} if accepted else {}
    return {
        "ruleId": rule,
        "ruleIndex": rules.index(rule),
        "level": LEVELS[row["severity"]],
        "message": {"text": f"{row['subject']}: {row['cause']}. {row['remedy']}"},
        "locations": [{"logicalLocations": [{"fullyQualifiedName": row["subject"] or "the application", "kind": "resource"}]}],
        "partialFingerprints": {"awsfedFinding/v1": row["finding_id"]},
        **suppressed,
    }


def junit(found: Sequence[Mapping[str, Any]], *, fail_on: str, extent: Extent = WHOLE) -> str:
    """Write findings as JUnit XML: a test case for each; a failure when it reaches `fail_on` and nobody accepted it."""
    cases = [
        *(f'  <testcase classname="coverage" name={_attribute(gap)}><error message={_attribute(gap)}/></testcase>' for gap in extent.gaps),
        *(f'  <testcase classname="coverage" name={_attribute(line)}><skipped message="not read"/></testcase>' for line in _left(extent)),
        *(_case(row, fail_on) for row in found),
    ]
    failures, skipped = (sum(f"<{kind}" in case for case in cases) for kind in ("failure", "skipped"))
    counted = f'tests="{len(cases)}" failures="{failures}" errors="{len(extent.gaps)}" skipped="{skipped}"'
    head = f'<testsuite name="awsfed" {counted}>'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *cases, "</testsuite>", ""])


def _left(extent: Extent) -> list[str]:
    left = told(extent.read)["left"]
    return [f"{' '.join(filter(None, (row['what'], row['key'], row['name'])))}: {row['problem']}" for row in left]


def _case(row: Mapping[str, Any], fail_on: str) -> str:
    opened = f"  <testcase classname={_attribute(row['check'])} name={_attribute(row['subject'] + ' ' + row['finding_id'])}>"
    accepted = str(row.get("accepted", ""))
    said = f"{row['cause']}. {row['remedy']}"
    if accepted:
        inner = f"<skipped message={_attribute('accepted ' + accepted)}/>"
    elif reaches(row["severity"], fail_on):
        inner = f"<failure type={_attribute(row['severity'])} message={_attribute(row['cause'])}>{escape(_storable(said))}</failure>"
    else:
        inner = f"<system-out>{escape(_storable(said))}</system-out>"
    return f"{opened}{inner}</testcase>"


def _attribute(text: str) -> str:
    return quoteattr(_storable(text))


def _storable(text: str) -> str:
    """Leave out what XML 1.0 cannot hold in any spelling (w3.org/TR/xml, Char)."""
    return text.translate(_CONTROL)
