"""A group that somebody created under the name of a role's group gets no role before a person has named it by its id.

Through 05-groups and 06-assignments against the sandbox: the squatter is a row that says who made it, and what to put into group_map.
"""

import shutil

import executed
import pytest
import target

from awsfed_lib.core.roles.groups import ONLY_BY_NAME
from awsfed_lib.core.tables import rows
from awsfed_lib.sandbox.serve import Size


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a root with the runbooks 04 to 06, and a running sandbox; the appRoles of all roles are there."""
    root = tmp_path_factory.mktemp("root")
    with target.served(root, Size(accounts=24), books="0[456]*") as sandbox:
        place = target.Target(root, sandbox)
        executed.execute("04", place.file)
        yield place


def squatted(place, names):
    """The matched row of a role whose wanted group has only the name, and whose appRole is there."""
    held = {role["value"] for role in rows(names["live"]) if role["is_enabled"]}
    found = [row for row in rows(names["matched"]) if row["problem"] == ONLY_BY_NAME and row["value"] in held]
    assert found, "the sandbox has no squatter"
    return found[0]


def test_a_squatter_gets_no_role_until_a_person_names_it(place):
    """Its owners and members stand in the row, and when they change the plan has another id."""
    names = executed.execute("06", place.file, approve=False)
    row = squatted(place, names)
    assert not any(change.action == "add" and row["group_name"] in change.label for change in names["plan"].changes)
    (held,) = [change for change in names["plan"].changes if change.key == row["value"]]
    assert (held.action, held.why) == ("keep", ONLY_BY_NAME)
    assert "owners: " in held.before

    made = executed.execute("05", place.file, approve=False)
    assert row["group_name"] not in {change.label for change in made["plan"].changes if change.action == "add"}
    shutil.copy(made["run"].folder / "exports/group-map.csv", place.root / "parameters/groups.csv")

    chosen = executed.execute("06", place.file, approve=False, group_map="groups.csv")
    (new,) = [change for change in chosen["plan"].changes if change.action == "add" and change.label.startswith(f"{row['group_name']} ")]
    assert new.before in held.before
    tenant = place.sandbox.tenant
    group = new.key.split(" ")[0]
    tenant.tables["owners"][group] = (*tenant.tables["owners"][group], next(iter(tenant.tables["users"])))
    assert executed.execute("06", place.file, approve=False, group_map="groups.csv")["plan"].id != chosen["plan"].id
