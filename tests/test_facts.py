import json

from made import MSIAM, wire

from awsfed_lib.core import facts
from awsfed_lib.core.change import Basis


def test_origin_and_unknown_keys_are_no_part_of_a_fact():
    """Graph adds origin on reading, and a client must not send it (learn.microsoft.com graph/api/resources/approle)."""
    entry = wire("000000012345", "Admin")
    bare = {key: entry[key] for key in facts.APP_ROLE_KEYS}
    assert facts.app_role(entry) == facts.app_role(bare) == facts.app_role(dict(reversed(bare.items())))


def test_null_is_not_empty_text():
    """`value: null` of msiam_access is a value of its own: "" would be a change."""
    assert facts.app_role(MSIAM) != facts.app_role(MSIAM | {"value": ""})
    assert json.loads(facts.app_role(MSIAM))["value"] is None


def test_member_types_are_a_set():
    entry = wire("000000012345", "Admin", allowedMemberTypes=["User", "Application"])
    assert facts.app_role(entry) == facts.app_role(entry | {"allowedMemberTypes": ["Application", "User"]})


def test_each_field_counts():
    entry = wire("000000012345", "Admin")
    others = [entry | {"isEnabled": False}, entry | {"value": "x"}, entry | {"id": "y"}, entry | {"displayName": "z"}]
    assert len({facts.app_role(other) for other in [entry, *others]}) == 5


def test_a_basis_is_of_a_set_and_an_empty_one_is_a_basis():
    """A first plan on an empty collection must go stale as any other (github.com/hashicorp/terraform issue 24078)."""
    assert Basis.over("assignments", "sp-1", ("b", "a")) == Basis.over("assignments", "sp-1", ("a", "b"))
    assert Basis.over("assignments", "sp-1", ()) != Basis.over("assignments", "sp-1", ("a",))


def test_a_basis_is_named_safely():
    names = '["AWS-1-Admin","../../etc/passwd"]'
    assert Basis.over("app_roles", "7dfd756e-8c27", ()).name == "app_roles-7dfd756e-8c27"
    assert Basis.over("groups", names, ()).name.removeprefix("groups-").isalnum()
