import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import account, accounts

from awsfed_lib.core.errors import TableError
from awsfed_lib.core.tables import ACCOUNTS, APP_ROLES, GROUPS, PROVIDERS, ROLES, canonical, check, digest, frame, read_in_full, rows


def test_a_missing_cell_is_empty_text_and_never_nan():
    table = frame(ACCOUNTS, [{"account_id": "000000012345", "account_name": None}])
    assert rows(table) == [{"account_id": "000000012345", "account_name": "", "ou_path": "", "state": "", "problem": ""}]


@pytest.mark.parametrize("wrong", ["12345", "0000000123456", "０００００００１２３４５", "00000001234x"])
def test_an_account_id_that_lost_its_zeros_is_refused_with_the_reason(wrong):
    """A CSV read without dtype=str turns 000000012345 into 12345."""
    with pytest.raises(TableError, match=r"not 12 digits(.|\n)*leading zeros"):
        frame(ACCOUNTS, [{"account_id": wrong}])


def test_a_number_is_no_account_id():
    with pytest.raises(TableError, match="account_id"):
        frame(ACCOUNTS, [{"account_id": 12345}])


@pytest.mark.parametrize("wrong", ["False", 0, 1, "yes"])
def test_text_and_numbers_are_no_flags(wrong):
    """`pd.Series(["False"], dtype="bool")` is True."""
    with pytest.raises(TableError, match="security_enabled"):
        frame(GROUPS, [{"group_id": "1", "security_enabled": wrong}])


def test_an_unknown_column_is_refused_and_an_extra_one_of_the_reader_kept():
    with pytest.raises(TableError, match="nonsense"):
        frame(ACCOUNTS, [{"nonsense": 1}])
    table = accounts("000000012345").assign(mine=1)
    assert list(check(ACCOUNTS, table).columns)[-1] == "mine"


def test_a_lost_column_is_named():
    with pytest.raises(TableError, match="lacks the column problem"):
        check(ACCOUNTS, accounts("000000012345").drop(columns="problem"))


def test_nan_that_crept_into_a_text_column_is_found():
    table = accounts("000000012345", "000000012346").astype(object)
    table.loc[1, "problem"] = float("nan")
    with pytest.raises(TableError, match=r"problem of table accounts must be text; rows \[1\]"):
        check(ACCOUNTS, table)


def test_times_and_counts_become_json_values():
    table = frame(PROVIDERS, [{"provider_arn": "a"}, {"provider_arn": "b", "not_after": "2027-01-01T00:00:00.1234567Z"}])
    first, second = rows(table)
    assert first["not_after"] is None
    assert second["not_after"] == pd.Timestamp("2027-01-01T00:00:00.123456Z")
    assert json.dumps([row["max_session"] for row in rows(frame(ROLES, [{}, {"max_session": 3600}]))]) == "[null, 3600]"


def test_wire_objects_stay_the_objects_that_they_are():
    entry = {"value": None, "b": 1, "a": [{"c": True}]}
    table = frame(APP_ROLES, [{"app_role_id": "1", "is_enabled": True, "entry": entry}])
    assert rows(table)[0]["entry"] is entry


def test_an_empty_table_has_its_columns():
    assert list(frame(ROLES, []).columns) == list(ROLES.columns)


def test_read_in_full_takes_no_account_with_a_problem_or_in_a_hidden_state():
    """A suspended account answers no ListRoles; its roles are unknown, not gone."""
    table = accounts(
        "000000000001",
        account("000000000002", problem="AccessDenied"),
        account("000000000003", state="SUSPENDED"),
        account("000000000004", state=""),
        account("000000000005"),
        account("000000000005", problem="throttled in another region"),
    )
    assert read_in_full(table) == {"000000000001", "000000000004"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


@given(JSON)
def test_canonical_text_is_of_the_value_and_not_of_its_order(value):
    shuffled = dict(reversed(value.items())) if isinstance(value, dict) else value
    assert canonical(value) == canonical(shuffled)
    assert json.loads(canonical(value)) == value


@given(st.lists(st.text()))
def test_a_digest_is_of_the_facts_in_any_order(lines):
    assert digest(lines) == digest(reversed(lines))
