"""What the records say about the past: never more than they know."""

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import BEGAN, role, seal_one

from awsfed_lib.core.errors import RecordError
from awsfed_lib.core.tables import PATHS, frame
from awsfed_lib.edges.charts.lines import Limit, Point, lines
from awsfed_lib.edges.records import history, spans
from awsfed_lib.edges.records.spans import Blind

A = "000000000001"
ARN = "arn:aws:iam::000000000001:role/Admin"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Six nights: account 1 is there, unread twice, there, unread, gone; account 3 comes on the fourth."""
    folder = tmp_path_factory.mktemp("history") / "runs"
    nights = [
        ([role(1), role(2)], []),
        ([role(2)], [A]),
        ([role(2)], [A]),
        ([role(1), role(3)], []),
        ([role(3)], [A]),
        ([role(3)], []),
    ]
    for day, (roles, unread) in enumerate(nights):
        seal_one(folder, day, roles=roles, unread=unread)
    seal_one(folder, 3, roles=[role(9)], target="another1")
    return [one for one in history.past(history.Target(), runs=folder) if "1f0c7f3a" in one.run]


def told(table):
    return [tuple(row.values()) for row in table.drop(columns=["run"]).to_dict(orient="records")]


def night(day):
    return pd.Timestamp(BEGAN + timedelta(days=day))


def test_counts_are_those_of_each_run_in_order(runs):
    assert told(history.counts("roles", runs)) == [(night(day), rows) for day, rows in enumerate((2, 1, 1, 2, 1, 1))]
    assert history.counts("roles", runs, where_sql="account_id = '000000000002'")["rows"].tolist() == [1, 1, 1, 0, 0, 0]


def test_spans_tell_first_last_and_whether_it_is_still_there(runs):
    found = history.spans("roles", runs)
    assert list(found.columns) == ["role_arn", "provider_arn", "first_seen", "last_seen", "runs", "present"]
    assert [(row.first_seen, row.last_seen, row.runs, row.present) for row in found.itertuples()] == [
        (night(0), night(3), 2, "no"),
        (night(0), night(2), 3, "no"),
        (night(3), night(5), 3, "yes"),
    ]


def test_account_that_was_not_read_lost_nothing(runs):
    """Unknown is never absent: a night without permission is no night in which all roles of the account went."""
    assert history.spans("roles", runs[:5])["present"].tolist() == ["unread", "no", "yes"]
    assert history.churn("roles", runs[:3])[["came", "went"]].to_numpy().tolist() == [[0, 0], [0, 0]]
    assert history.churn("roles", runs)[["came", "went"]].to_numpy().tolist() == [[0, 0], [0, 0], [1, 1], [0, 0], [0, 1]]


def test_role_that_went_and_came_back_has_two_stays(tmp_path):
    for day, roles in enumerate(([role(1)], [role(2)], [role(1)])):
        seal_one(tmp_path / "runs", day, roles=[*roles, role(5)])
    found = history.past(history.Target(), runs=tmp_path / "runs")
    assert history.churn("roles", found)[["came", "went"]].to_numpy().tolist() == [[1, 1], [1, 1]]


@given(st.text("01", min_size=1, max_size=24).filter(lambda bits: "1" in bits), st.sets(st.integers(0, 23)))
def test_stays_are_those_of_a_walk_run_by_run(seen, missed):
    """Against the plainest reading: walk the runs, skip those that were blind, and note when the row is there."""
    sight = Blind(frozenset(run for run in missed if run < len(seen) and seen[run] == "0"), len(seen))
    expected, open_ = [], None
    for run, bit in enumerate(seen):
        if bit == "1":
            open_ = (open_[0], run) if open_ else (run, run)
        elif run not in sight.missed and open_:
            expected.append(open_)
            open_ = None
    assert list(map(tuple, spans._stays(seen, sight))) == expected + ([open_] if open_ else [])


def test_table_that_no_run_kept_is_told(runs):
    with pytest.raises(RecordError, match="No run kept the table paths yet"):
        history.spans("paths", runs)
    with pytest.raises(RecordError, match="There is no table 'rolls'"):
        spans._key("rolls")


def test_run_that_was_never_sealed_says_nothing(tmp_path):
    made = seal_one(tmp_path / "runs", 0)
    path = made.folder / "run.json"
    path.write_text(path.read_text().replace('"sealed": true', '"sealed": false'))
    assert history.past(history.Target(), runs=tmp_path / "runs") == ()


# --- could this person reach this role on that day? ---


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reached") / "runs"
    path = {
        "user_name": "Britta.Simon@contoso.example",
        "group_name": "AWS-Admin",
        "app_role_id": "x",
        "role_arn": ARN,
        "verdict": "effective",
    }
    for day, rows in enumerate(([path], [], [{**path, "verdict": "untrusted"}])):
        seal_one(folder, 2 * day, roles=[role(1)], paths=frame(PATHS, rows))
    seal_one(folder, 6, roles=[], unread=[A], paths=frame(PATHS, [{**path, "verdict": "unread"}]))
    return history.past(history.Target(), runs=folder)


@pytest.mark.parametrize(
    ("day", "answer", "words"),
    [
        (date(2025, 12, 31), "not known", "no run was made up to that day"),
        (date(2026, 1, 1), "yes", "by AWS-Admin to arn:aws:iam::000000000001:role/Admin"),
        (date(2026, 1, 2), "yes", "between 2026-01-01 03:00 and 2026-01-03 03:00 UTC; when exactly, no run tells"),
        (date(2026, 1, 3), "no", "no path from this person to this role stood in the record"),
        (date(2026, 1, 5), "no", "the path by AWS-Admin is untrusted"),
        (date(2026, 1, 7), "not known", "that run could not read 000000000001"),
    ],
)
@pytest.mark.parametrize("named", [ARN, "Admin"])
def test_reach_on_a_day(nights, day, answer, words, named):
    found = dict(history.reached(nights, user="britta.simon@CONTOSO.example", role=named, day=f"{day:%Y-%m-%d}").itertuples(index=False))
    assert found["answer"] == answer
    assert words in " ".join(found.values())


def test_no_question_no_answer_and_no_day_is_the_newest(nights):
    assert "nothing was asked" in history.reached(nights, user="", role=ARN, day="")["value"][0]
    found = dict(history.reached(nights, user="britta.simon@contoso.example", role=ARN, day="").itertuples(index=False))
    assert found["at the end of"] == "2026-01-07 UTC"


def test_another_person_or_role_is_another_answer(nights):
    for user, named in (("b.simon@contoso.example", ARN), ("Britta.Simon@contoso.example", "admin")):
        found = dict(history.reached(nights, user=user, role=named, day="2026-01-01").itertuples(index=False))
        assert found["answer"] == "no"


# --- plots ---


def test_plot_of_the_same_figures_is_the_same_bytes_and_says_them_in_words():
    points = [Point(BEGAN + timedelta(days=day), 600 + day) for day in range(5)]
    first, second = (lines("Definitions used $x_1$", points, unit="definitions", limit=Limit(700, "limit of Entra ID")) for _ in range(2))
    assert first.svg == second.svg
    assert "$x_1$" in first.svg
    assert "<script" not in first.svg
    assert first.alt == ("Definitions used $x_1$: 600 definitions on 2026-01-01, 604 on 2026-01-05, of at most 700 (limit of Entra ID).")
    assert "no runs yet" in lines("x", [], unit="y").alt
