"""The report's parts: accepted findings, outputs for other tools, certificates, growth, and the plots."""

import json
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
from hostile import HALVES, PAYLOADS
from recorded import BEGAN, role

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.finding import finding
from awsfed_lib.core.review import accepted, checks_certificates, outputs
from awsfed_lib.core.review.forecast import growth
from awsfed_lib.core.review.summary import summary
from awsfed_lib.core.roles.body import Capacity
from awsfed_lib.core.settings.verdict import SEVERITIES
from awsfed_lib.core.shapes import CERTIFICATES
from awsfed_lib.core.tables import ACCOUNTS, FINDINGS, JUDGED, PATHS, PROVIDERS, ROLES, frame
from awsfed_lib.edges.charts import report
from awsfed_lib.edges.charts.bars import Bar, bars
from awsfed_lib.edges.charts.heat import heat
from awsfed_lib.edges.charts.timeline import Term, timeline
from awsfed_lib.edges.records import results

TEXTS = [text for text in PAYLOADS if text not in HALVES]  # the edges let no half character in
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
HIGH = finding("high", "nested group", "AWS-Admin", cause="it holds a group", remedy="Make its users direct members.")
LOW = finding("low", "empty group", "AWS-Read", cause="nobody is in it", remedy="Add members.")
HEAD = "finding_id,until,accepted_by,reason\n"


def found(*rows):
    return frame(FINDINGS, rows or (HIGH, LOW))


def line(until="2027-01-31", finding_id=HIGH["finding_id"], reason="migration, ticket 17"):
    return f'{finding_id},{until},Britta Simon,"{reason}"\n'


# --- accepted findings ---


def test_accepted_finding_stays_with_its_reason_and_does_not_count():
    judged = accepted.judge(found(), accepted.read((HEAD + line()).encode()), now=NOW)
    assert judged["accepted"].tolist() == ["until 2027-01-31 by Britta Simon: migration, ticket 17", ""]
    assert results.word([], judged, "high") == "done"
    assert results.word([], accepted.judge(found(), None, now=NOW), "high") == "findings"
    assert results.counts([], judged)["findings"] == {"critical": 0, "high": 0, "medium": 0, "low": 1, "note": 0}


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        (line(until="2026-11-23"), "its acceptance ended on 2026-11-23"),
        (line(until="2029-01-01"), "it is accepted for 769 days; at most 366 count"),
        (line(finding_id="finding-0"), "nothing is found under this id any more"),
    ],
)
def test_acceptance_that_does_not_hold_is_a_finding_itself(given, cause):
    judged = accepted.judge(found(), accepted.read((HEAD + given).encode()), now=NOW)
    assert results.word([], judged, "high") == "findings"
    assert judged["cause"].tolist()[-1] == cause


def test_last_day_of_an_acceptance_still_counts():
    assert accepted.judge(found(), accepted.read((HEAD + line(until="2026-11-24")).encode()), now=NOW)["accepted"][0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no column finding_id"),
        ("finding_id,reason\n", "no column until and no column accepted_by; its first row is finding_id, reason"),
        (HEAD + "finding-1,2027-01-01\n", "Line 2 of the accepted findings has no accepted_by and no reason"),
        (HEAD + "finding-1,2027-01-01,me,\n", "Line 2 of the accepted findings has no reason"),
        (HEAD + "finding-1,31.1.2027,me,why\n", "'31.1.2027' is not a date"),
        (HEAD + line() + line(), "Two lines accept the finding nested-group"),
    ],
)
def test_file_that_cannot_be_read_names_its_line(text, words):
    with pytest.raises(ParameterError, match=words):
        accepted.read(text.encode())


# --- for other tools ---


def judged(*rows, file=""):
    return accepted.judge(found(*rows), accepted.read((HEAD + file).encode()) if file else None, now=NOW)


def test_sarif_names_each_check_once_and_knows_a_finding_again():
    log = outputs.sarif(judged(file=line()).to_dict(orient="records"))
    run = log["runs"][0]
    assert (log["version"], [rule["id"] for rule in run["tool"]["driver"]["rules"]]) == ("2.1.0", ["empty-group", "nested-group"])
    first, second = run["results"]
    assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("nested-group", 1, "error")
    assert first["partialFingerprints"] == {"awsfedFinding/v1": HIGH["finding_id"]}
    assert first["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "until 2027-01-31 by Britta Simon: migration, ticket 17"}
    ]
    assert (second["level"], "suppressions" in second) == ("note", False)
    json.dumps(log, allow_nan=False)


def test_junit_fails_what_counts_and_skips_what_is_accepted():
    suite = ET.fromstring(outputs.files(judged(), fail_on="high")["findings.junit.xml"])
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped")} == {"tests": "2", "failures": "1", "skipped": "0"}
    suite = ET.fromstring(outputs.files(judged(file=line()), fail_on="low")["findings.junit.xml"])
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped")} == {"tests": "2", "failures": "1", "skipped": "1"}
    assert suite.find("testcase/failure").get("type") == "low"


def test_hostile_names_stay_text_in_every_output():
    rows = [finding(SEVERITIES[number % 5], "a check", text, cause=text, remedy=text) for number, text in enumerate(TEXTS)]
    files = outputs.files(judged(*rows), fail_on="low")
    suite = ET.fromstring(files["findings.junit.xml"].encode())
    assert len(suite) == len(rows)
    assert {child.tag for case in suite for child in case} <= {"failure", "skipped", "system-out"}
    assert len(json.loads(files["findings.sarif"])["runs"][0]["results"]) == len(rows)


# --- certificates ---


def certificate(days, status="signs", thumbprint="AA"):
    return {"thumbprint": thumbprint, "name": "CN=x", "status": status, "not_before": NOW, "not_after": NOW + timedelta(days=days)}


def provider(account, thumbprints, name="WAAD"):
    arn = f"arn:aws:iam::{account:012d}:saml-provider/{name}"
    return {"account_id": f"{account:012d}", "provider_arn": arn, "provider_name": name, "thumbprints": thumbprints, "not_after": NOW}


@pytest.mark.parametrize(("days", "severity"), [(90, None), (59, "medium"), (13, "high"), (-1, "critical")])
def test_ending_certificate_is_told_in_time(days, severity):
    told = checks_certificates.findings(frame(CERTIFICATES, [certificate(days)]), frame(PROVIDERS, []), provider="WAAD", now=NOW)
    assert told["severity"].tolist() == ([severity] if severity else [])


def test_account_that_does_not_hold_the_signing_certificate_is_critical():
    providers = frame(PROVIDERS, [provider(1, "BB; AA"), provider(2, "BB"), provider(3, "CC", "Okta"), provider(4, "")])
    given = frame(CERTIFICATES, [certificate(300), certificate(300, "inactive", "BB")])
    told = checks_certificates.findings(given, providers, provider="WAAD", now=NOW)
    assert told["subject"].tolist() == ["arn:aws:iam::000000000002:saml-provider/WAAD"]
    assert told["severity"].tolist() == ["critical"]
    assert "BB, and Entra ID signs with AA" in told["cause"][0]


def test_no_certificate_that_signs_is_critical():
    told = checks_certificates.findings(frame(CERTIFICATES, [certificate(-3, "expired")]), frame(PROVIDERS, []), provider="", now=NOW)
    assert told["check"].tolist() == ["no signing certificate"]


# --- growth ---


def days(*numbers, step=10):
    return [(BEGAN + timedelta(days=step * day), number) for day, number in enumerate(numbers)]


def test_growth_is_a_straight_line_to_the_limit():
    told = growth(days(100, 110, 120, 130), limit=700)
    assert told.per_month == pytest.approx(30.4375)
    assert told.full_on == BEGAN + timedelta(days=30 + 570)
    assert told.words == "+30.4 a month: full in August 2027"


@pytest.mark.parametrize("points", [[], days(5), days(5, 6, step=2)])
def test_too_short_a_past_tells_nothing(points):
    assert growth(points, limit=700).words == "months to full: not known before two runs lie 7 days apart"


@pytest.mark.parametrize("points", [days(5, 5), days(9, 5), days(100, 100.001)])
def test_what_does_not_grow_is_never_full(points):
    assert growth(points, limit=700).full_on is None


# --- the summary ---


def test_summary_counts_open_and_accepted_findings_and_names_what_is_not_known():
    accounts = frame(ACCOUNTS, [{"account_id": "000000000001"}, {"account_id": "000000000002", "problem": "denied"}])
    told = dict(summary(judged(file=line()), accounts, "NO CHANGE since then.", fail_on="high").itertuples(index=False))
    assert told["verdict"] == "no open finding at or above high in what was read"
    assert (told["high"], told["low"]) == ("0 open, 1 accepted", "1 open")
    assert told["accounts"] == "1 of 2 were read in full; 1 are not known"
    assert dict(summary(judged(), accounts, "", fail_on="high").itertuples(index=False))["verdict"] == "1 open findings at or above high"
    assert len(summary(frame(JUDGED, []), accounts, "", fail_on="never")) == 8


# --- plots ---


def test_plots_say_what_they_show():
    roles = [role(1, role_name="erp-admin"), role(1, role_name="erp-read", role_arn="x"), role(2, role_name="web-admin")]
    accounts = frame(ACCOUNTS, [{"account_id": f"{number:012d}", "account_name": f"a{number}"} for number in (1, 2, 3)])
    assert "3 rows" in report.coverage(frame(ROLES, roles), accounts).alt
    path = {"user_name": "a@x.example", "group_name": "AWS-Admin", "app_role_id": "1", "verdict": "effective"}
    shown = report.access(frame(PATHS, [path, {**path, "app_role_id": "2"}, {**path, "verdict": "nobody", "user_name": ""}]))
    assert shown.alt == "People by group (people who can sign in): AWS-Admin 1."
    used = report.capacity(Capacity(70, 700, 4, 630), pd.DataFrame({"run": [], "at": [], "rows": []}), scopes=1, now=NOW)
    assert "70 of 700 used, 4 of them disabled" in used.alt
    ends = report.certificates(
        frame(CERTIFICATES, [certificate(20)]), frame(PROVIDERS, [provider(1, "A"), provider(2, "A", "Okta")]), provider="WAAD", now=NOW
    )
    assert ends.alt == (
        "Certificates: how long they last: 2 in all, 1 critical, 0 ended, 1 end within 60 days; the first is 000000000001 WAAD on 2026-11-24."
    )


def test_certificates_are_drawn_as_the_audit_judges_them_and_unread_accounts_are_there():
    """A copy that lasts for years and is not what Entra ID signs with is critical."""
    held = [provider(1, "AA") | {"not_after": NOW + timedelta(days=900)}, provider(2, "BB") | {"not_after": NOW + timedelta(days=900)}]
    accounts = frame(ACCOUNTS, [{"account_id": f"{number:012d}", "problem": "denied" if number == 3 else ""} for number in (1, 2, 3)])
    signs = frame(CERTIFICATES, [certificate(400) | {"thumbprint": "AA", "status": "signs"}])
    drawn = report.certificates(signs, frame(PROVIDERS, held), provider="WAAD", now=NOW, accounts=accounts)
    assert drawn.states == {
        "Entra ID: signs AA": "fine", "000000000001 WAAD": "fine", "000000000002 WAAD": "critical", "000000000003 WAAD": "not read",
    }  # fmt: skip


def test_one_odd_role_in_each_account_hides_no_gap():
    listed = [
        role(number, role_name=name, role_arn=f"{number}/{name}", account_name=f"Team {number}")
        for number in (1, 2, 3, 4)
        for name in (f"team-{number}-aws-admin", f"team-{number}-read-only-user", f"Odd{number}")
        if (number, name) != (4, "team-4-read-only-user")
    ]
    named = [{"account_id": f"{number:012d}", "account_name": f"Team {number}"} for number in (1, 2, 3, 4)]
    accounts = frame(ACCOUNTS, [*named, {"account_id": "000000000005", "account_name": "Team 5", "problem": "denied"}])
    drawn = report.coverage(frame(ROLES, listed), accounts)
    assert [mark for mark, state in drawn.states.items() if state == "gap"] == ["Team 4 000000000004 / read-only-user"]
    assert drawn.states["Team 5 000000000005 / aws-admin"] == "not read"


def test_gap_of_what_most_have_is_named():
    pairs = [("a", "admin"), ("b", "admin"), ("a", "read"), ("b", "read"), ("c", "admin")]
    assert heat("Roles", pairs, rows=["d"]).alt == "Roles: 4 rows, 2 columns, 3 gaps: c has no read; d has no admin; d has no read."


@pytest.mark.parametrize("draw", [
    lambda name: bars("t", [Bar(name, 1)], unit="u"),
    lambda name: timeline("t", [Term(name, NOW)], now=NOW),
    lambda name: heat("t", [(name, name)]),
], ids=["bars", "timeline", "heat"])  # fmt: skip
def test_hostile_names_are_drawn_as_text(draw):
    for text in TEXTS[::7]:
        drawn = draw(text)
        root = ET.fromstring(drawn.svg.encode())
        assert not [node for node in root.iter() if node.tag.rpartition("}")[2] in ("script", "foreignObject", "image")]


def test_nothing_to_draw_is_drawn_as_nothing():
    assert bars("t", [], unit="u").alt == "t (u): none."
    assert timeline("t", [], now=NOW).alt == "t: none."
    assert "0 rows" in heat("t", []).alt
