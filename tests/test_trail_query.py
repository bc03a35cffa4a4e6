"""The query for Athena is right: parsed as Athena's SQL, carried over to DuckDB, and run over a small trail whose answer is known.

Columns: docs.aws.amazon.com athena/latest/ug/create-cloudtrail-table-partition-projection.html and …-org-wide-trail.html.
"""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
import sqlglot
from made import arn, frame
from sqlglot import exp

from awsfed_lib.core.review import trail, trail_query, use
from awsfed_lib.core.tables import ACCOUNTS, PATHS, ROLES, rows

A, B, QUIET, OTHER = "000000012345", "111111111111", "222222222222", "999999999999"
BEGIN, END = datetime(2026, 10, 30, 6, tzinfo=UTC), datetime(2026, 11, 24, 6, tzinfo=UTC)
ADMIN, OPS = arn(A, "Admin"), arn(B, "Ops")
ANN = "ann@contoso.example"
ASKED = trail.Asked(trail.Terms(), {A: "Sales", B: "Lab", QUIET: "Quiet"}, ("us-east-1", "eu-west-1"), BEGIN, END)
LAYOUTS = [
    ("account", "region", "timestamp"), ("account", "region", "year", "month", "day"), ("timestamp",), ("year", "month", "day"), ("year",), (),
]  # fmt: skip
TABLE = """CREATE TABLE cloudtrail_logs (
  eventversion VARCHAR, useridentity STRUCT(type VARCHAR, principalid VARCHAR, username VARCHAR, identityprovider VARCHAR), eventtime VARCHAR,
  eventsource VARCHAR, eventname VARCHAR, awsregion VARCHAR, errorcode VARCHAR, requestparameters VARCHAR, responseelements VARCHAR,
  eventid VARCHAR, readonly VARCHAR, recipientaccountid VARCHAR,
  account VARCHAR, region VARCHAR, "timestamp" VARCHAR, "year" VARCHAR, "month" VARCHAR, "day" VARCHAR)"""


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def event(number, *, account=A, role=ADMIN, name=ANN, at=END - timedelta(days=3), region="us-east-1", late=timedelta(0), **more):
    """One line of the table; `late`: how long after it its file was delivered, which decides the partition."""
    day = at + late
    given = {"roleArn": role, "roleSessionName": name, "principalArn": f"arn:aws:iam::{account}:saml-provider/WAAD"}
    return {
        "eventversion": "1.11", "useridentity": {"type": "SAMLUser", "principalid": f"x:{name}", "username": "somebody else", "identityprovider": "x"},
        "eventtime": stamp(at), "eventsource": "sts.amazonaws.com", "eventname": "AssumeRoleWithSAML", "awsregion": region, "errorcode": None,
        "requestparameters": json.dumps(given), "responseelements": None, "eventid": f"event-{number}", "readonly": "true", "recipientaccountid": account,
        "account": account, "region": region, "timestamp": f"{day:%Y/%m/%d}", "year": f"{day:%Y}", "month": f"{day:%m}", "day": f"{day:%d}",
    } | more  # fmt: skip


HOSTILE = [
    "o'brien@contoso.example",
    'a"b@contoso.example',
    "x,y@contoso.example",
    "=cmd|' /c'!a@contoso.example",
    "böse@contoso.example",
    "a\\b@contoso.example",
]
EVENTS = [
    event(1), event(1), event(2, at=END - timedelta(days=5)),  # one twice, as two trails into one bucket deliver it
    event(3, name="ANN@Contoso.example", at=END - timedelta(days=9)),
    event(4, errorcode="AccessDenied", at=END - timedelta(hours=1)), event(5, errorcode="", at=END - timedelta(days=4)),
    event(6, account=B, role=OPS, region="eu-west-1", at=BEGIN),  # the window takes its begin,
    event(7, account=B, role=OPS, at=END), event(8, account=B, role=OPS, at=BEGIN - timedelta(seconds=1)),  # and neither its end nor what was before
    event(9, account=B, role=OPS, region="ap-south-1"), event(10, account=OTHER, role=arn(OTHER, "Admin")),
    event(11, eventname="AssumeRole"), event(12, eventsource="fake.amazonaws.com"), event(13, errorcode="InvalidIdentityToken", requestparameters=None),
    event(14, name="late@contoso.example", at=END - timedelta(minutes=5), late=timedelta(hours=20)),  # its file lies under the next day
    *(event(20 + number, name=name) for number, name in enumerate(HOSTILE)),
]  # fmt: skip
SESSIONS = {
    (ADMIN, ANN): (stamp(END - timedelta(days=3)), 4, 1), (OPS, ANN): (stamp(BEGIN), 1, 0),
    (ADMIN, "late@contoso.example"): (stamp(END - timedelta(minutes=5)), 1, 0),
} | {(ADMIN, name): (stamp(END - timedelta(days=3)), 1, 0) for name in HOSTILE}  # fmt: skip


def answered(query, events=EVENTS):
    """What Athena would answer, as the CSV that people save."""
    columns = list(events[0])
    with duckdb.connect() as base:
        base.execute(TABLE)
        base.executemany(f"INSERT INTO cloudtrail_logs VALUES ({', '.join('?' * len(columns))})", [list(one.values()) for one in events])
        found = base.execute(sqlglot.transpile(query, read="athena", write="duckdb")[0])
        names = [column[0] for column in found.description]
        written = io.StringIO()
        writer = csv.writer(written, quoting=csv.QUOTE_ALL)
        writer.writerows([names, *(["" if cell is None else cell for cell in row] for row in found.fetchall())])
        return written.getvalue()


def sessions(text):
    lines = list(csv.DictReader(io.StringIO(text, newline="")))
    return {
        (one["role_arn"], one["user_name"]): (one["last_entered"], int(one["sessions"]), int(one["refused"]))
        for one in lines
        if one["role_arn"]
    }


def rendered(*partitions, asked=ASKED):
    return trail_query.render(replace(asked, terms=replace(asked.terms, partitions=partitions)))


@pytest.mark.parametrize("partitions", LAYOUTS, ids="-".join)
def test_the_answer_is_right_with_every_layout_of_the_table(partitions):
    assert sessions(answered(rendered(*partitions))) == SESSIONS


BROKEN = {
    "refused ones count": ("is_entry AND NOT is_refused THEN eventid", "is_entry THEN eventid"),
    "an empty error code is an error": ("errorcode IS NOT NULL AND errorcode <> ''", "errorcode IS NOT NULL"),
    "the last refused one counts": ("is_entry AND NOT is_refused THEN eventtime", "is_entry THEN eventtime"),
    "delivered twice counts twice": ("count(DISTINCT CASE WHEN is_entry AND NOT", "count(CASE WHEN is_entry AND NOT"),
    "case tells people apart": ("lower(json_extract", "(json_extract"),
    "the end is in the window": ("eventtime < ", "eventtime <= "),
    "the begin is not": ("eventtime >= ", "eventtime > "),
    "another name of an event": (" AND eventname = 'AssumeRoleWithSAML'", ""),
    "another source of events": ("eventsource = 'sts.amazonaws.com' AND ", ""),
    "the files of the last day alone": (""""timestamp" <= '2026/11/25'""", """"timestamp" <= '2026/11/24'"""),
    "the files of later days alone": (""""timestamp" >= '2026/10/30'""", """"timestamp" > '2026/10/30'"""),
    "one Region": ("'us-east-1', 'eu-west-1'", "'us-east-1'"),
    "every Region": (""""region" IN ('us-east-1', 'eu-west-1')""", "1 = 1"),
    "every account": (f"'{A}', '{B}', '{QUIET}'", f"'{A}', '{B}', '{QUIET}', '{OTHER}'"),
    "NameID for RoleSessionName": ("$.roleSessionName", "$.principalArn"),
    "the provider for the role": ("$.roleArn", "$.principalArn"),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_query_is_found(change):
    query = rendered("account", "region", "timestamp")
    assert change[0] in query
    assert sessions(answered(query.replace(*change))) != SESSIONS


@pytest.mark.parametrize("partitions", LAYOUTS, ids="-".join)
def test_every_partition_is_compared_with_constants(partitions):
    """What Athena prunes by; a function of a column, or a column against another, would read everything."""
    (where,) = sqlglot.parse_one(rendered(*partitions), dialect="athena").find_all(exp.Where)
    pruned = set()
    for condition in where.this.flatten():
        plain = condition.unnest()
        columns = {column.name for column in plain.find_all(exp.Column)}
        assert not list(plain.find_all(exp.Func)) or isinstance(plain, exp.Connector)
        pruned |= columns if not columns & {"eventtime", "recipientaccountid", "awsregion"} else set()
    assert pruned == set(partitions) - {"day"}  # a month is read whole


@pytest.mark.parametrize(
    "partitions",
    [("account", "region", "timestamp"), ("account", "region", "year", "month", "day"), ("year", "month", "day")],
    ids="-".join,
)
def test_files_of_other_partitions_are_not_read(tmp_path, partitions):
    """By the plan of a real reader of partitioned files: as many files as there are, and as many as it opens."""
    events = [
        event(number, account=account, region=region, at=datetime(year, month, 15, tzinfo=UTC))
        for number, (account, region, year, month) in enumerate(
            (account, region, year, month) for account in (A, OTHER) for region in ("us-east-1", "sa-east-1") for year in (2025, 2026) for month in (1, 11)
        )
    ]  # fmt: skip
    query = sqlglot.transpile(rendered(*partitions), read="athena", write="duckdb")[0]
    with duckdb.connect() as base:
        base.execute(TABLE)
        base.executemany(f"INSERT INTO cloudtrail_logs VALUES ({', '.join('?' * len(events[0]))})", [list(one.values()) for one in events])
        columns = ", ".join(f'"{name}"' for name in partitions)
        base.execute(f"COPY cloudtrail_logs TO '{tmp_path}/trail' (FORMAT parquet, PARTITION_BY ({columns}))")
        types = ", ".join(f"'{name}': VARCHAR" for name in partitions)
        reading = f"read_parquet('{tmp_path}/trail/**/*.parquet', hive_partitioning=true, hive_types={{{types}}})"
        plan = base.execute("EXPLAIN " + query.replace('"cloudtrail_logs"', reading)).fetchall()[0][1]
    read, there = re.search(r"Scanning Files:\s*(\d+)/(\d+)", plan).groups()
    assert (int(read), int(there)) == (1, 16 if "account" in partitions else 4)


def test_what_is_delivered_in_the_next_year_is_read():
    """An event of the last evening of a year lies under the first day of the next."""
    end = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    asked = replace(ASKED, begin=end - timedelta(days=90), end=end)
    seen = [event(1, at=end - timedelta(minutes=1), late=timedelta(hours=1))]
    for partitions in LAYOUTS:
        assert sessions(answered(rendered(*partitions, asked=asked), seen)) == {(ADMIN, ANN): ("2026-12-31T23:58:00Z", 1, 0)}, partitions


def test_names_of_tables_and_regions_stay_names():
    """They are checked as parameters; here nothing ends the text that it stands in."""
    asked = replace(ASKED, regions=("x' OR '1'='1",), terms=replace(ASKED.terms, table="audit.trails"))
    query = trail_query.render(asked)
    assert '"audit"."trails"' in query
    assert len(sqlglot.parse(query, dialect="athena")) == 1
    assert "x' OR '1'='1" in [one.this for one in sqlglot.parse_one(query, dialect="athena").find_all(exp.Literal)]


def test_ten_thousand_accounts_fit_into_a_query():
    """262,144 bytes are the most (docs.aws.amazon.com athena/latest/ug/service-limits.html)."""
    asked = replace(ASKED, accounts={f"{number:012d}": "" for number in range(10_000)})
    assert all(len(rendered(*partitions, asked=asked)) < 262_144 for partitions in LAYOUTS)


def test_the_comment_says_what_it_is_for_and_holds_no_statement():
    query = rendered("timestamp")
    assert query.startswith("-- Who entered which role by SAML, 2026-10-30T06:00:00Z to 2026-11-24T06:00:00Z")
    assert ";" not in query


# Read back

RECENT = event(90, account=B, eventname="ListBuckets", eventsource="s3.amazonaws.com", requestparameters=None, at=END - timedelta(hours=3))
REACHED = frame(PATHS, [{"user_name": name, "app_role_id": name, "role_arn": ADMIN, "account_id": A} for name in (ANN, *HOSTILE)])


def read(text, accounts=ASKED.accounts, paths=REACHED):
    return trail_query.read(text, accounts, paths)


def test_the_answer_is_read_back_as_a_log():
    log = read(answered(rendered("account", "region", "timestamp")))
    assert (log.name, log.begin, log.end, log.problem) == ("CloudTrail of us-east-1, eu-west-1", BEGIN, END - trail.LATE, "")
    found = {(row["role_arn"], row["user_name"]): (stamp(row["last_entered"]), row["sessions"], row["refused"]) for row in rows(log.uses)}
    assert found == SESSIONS


def test_an_account_is_known_by_any_event_and_since_its_first():
    """A trail that was made yesterday, or without this account, says nothing of who was not there."""
    seen = [event(1), event(30, eventname="ListBuckets", eventsource="s3.amazonaws.com", requestparameters=None, at=BEGIN + timedelta(hours=2)),
            event(31, account=B, eventname="ListBuckets", eventsource="s3.amazonaws.com", requestparameters=None, at=END - timedelta(days=2))]  # fmt: skip
    log = read(answered(rendered("account", "region", "timestamp"), [*seen, RECENT]))
    known = {row["account_id"]: (row["begin"], row["events"]) for row in rows(log.windows)}
    assert known == {A: (BEGIN, 2), B: (END - timedelta(days=2), 2), QUIET: (None, 0)}
    assert (log.since(A), log.since(QUIET), log.since(OTHER)) == (BEGIN, None, None)
    assert log.coverage == "; accounts read: 2 of 3, 1 of them for less than that"


def test_a_trail_that_ended_before_the_window_says_nothing_of_who_was_not_there():
    """Stopped, or its table no longer fed: who came since would look as if never there."""
    log = read(answered(rendered("timestamp"), [event(1)]))
    assert log.problem == "no account has an event in the trail after 2026-11-21 06:00 UTC"
    assert (log.known, log.since(A)) == (False, None)
    assert read(answered(rendered("timestamp"), [event(1), RECENT])).since(A) is not None


def test_last_use_says_until_when_the_log_goes():
    """The CSV may be weeks old: who entered yesterday was not there until then."""
    used = use.Use(use.unread("Sign-in log", "not asked"), read(answered(rendered("timestamp"))), frame(ROLES, []), frame(ACCOUNTS, []))
    assert use.last_use(ADMIN, "bob@contoso.example", used).startswith("not entered since 2026-11-")
    assert use.last_use(ADMIN, "bob@contoso.example", used).endswith(" until 2026-11-24")


def test_an_account_that_came_after_the_query_is_not_known():
    log = read(answered(rendered("timestamp")), {**ASKED.accounts, "333333333333": "new"})
    assert log.since("333333333333") is None
    assert "no event of this account" in rows(log.windows)[-1]["problem"]


def test_sessions_of_other_roles_prove_no_names():
    """IAM Identity Center names its sessions by user names too, whatever our claim does."""
    other = arn(A, "aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_1")
    log = read(answered(rendered("timestamp"), [event(1, role=other), event(2, name="0815"), RECENT]))
    assert "no session has the name" in log.problem
    assert "no session in any of these roles" in read(answered(rendered("timestamp"), [event(1, role=other), RECENT])).problem
