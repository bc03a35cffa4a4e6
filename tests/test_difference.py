"""Two versions of a table, row by row."""

import pandas as pd
from recorded import role

from awsfed_lib.core.review.difference import difference, key_of, schemas
from awsfed_lib.core.tables import ROLES, frame


def changes(before, after, **more):
    return [tuple(row.values()) for row in difference(before, after, **more).to_dict(orient="records")]


def test_rows_come_go_and_change():
    before = frame(ROLES, [role(1), role(2)])
    after = frame(ROLES, [role(2, max_session=7200), role(3)])
    arn = "arn:aws:iam::{0}:role/Admin arn:aws:iam::{0}:saml-provider/WAAD"
    assert changes(before, after) == [
        (arn.format("000000000001"), "removed", "", "", ""),
        (arn.format("000000000002"), "changed", "max_session", "", "7200"),
        (arn.format("000000000003"), "added", "", "", ""),
    ]
    assert not changes(before, before)


def test_row_of_an_account_that_was_not_read_is_neither_removed_nor_added():
    before, after = frame(ROLES, [role(1), role(2)]), frame(ROLES, [role(3)])
    known = (frozenset({"000000000001", "000000000002"}), frozenset({"000000000001", "000000000003"}))
    assert [change[1] for change in changes(before, after, known=known)] == ["removed", "not read", "not read"]


def test_order_of_rows_means_nothing():
    assert not changes(frame(ROLES, [role(1), role(2)]), frame(ROLES, [role(2), role(1)]))


def test_table_without_a_written_shape_is_compared_whole():
    assert changes(pd.DataFrame({"a": ["1", "1"]}), pd.DataFrame({"a": ["1", "2"]})) == [
        ("1", "removed", "", "", ""),
        ("2", "added", "", "", ""),
    ]


def test_same_key_twice_is_compared_in_order():
    before = pd.DataFrame({"k": ["x", "x"], "v": ["1", "2"]})
    after = pd.DataFrame({"k": ["x", "x"], "v": ["1", "3"]})
    assert changes(before, after, key=["k"]) == [("x", "changed", "v", "2", "3")]


def test_column_that_came_is_a_change():
    assert changes(pd.DataFrame({"k": ["x"]}), pd.DataFrame({"k": ["x"], "v": ["1"]}), key=["k"]) == [("x", "changed", "v", "", "1")]


def test_every_written_shape_has_its_key():
    assert key_of(frame(ROLES, [])) == ("role_arn", "provider_arn")
    assert len(schemas()) > 20
