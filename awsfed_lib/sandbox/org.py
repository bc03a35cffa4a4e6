"""The world of a sandbox: one Entra ID tenant and one AWS organization that belong together, made from a seed."""

from typing import Any, Literal

from awsfed_lib.sandbox.population import empty
from awsfed_lib.sandbox.population.accounts import plain_seats, seats
from awsfed_lib.sandbox.population.applications import object_ids
from awsfed_lib.sandbox.population.entries import entries
from awsfed_lib.sandbox.population.organization import organization
from awsfed_lib.sandbox.population.partitions import partition as partition_named
from awsfed_lib.sandbox.population.roles import Setting
from awsfed_lib.sandbox.population.tenant import tenant

World = dict[str, Any]
Kind = Literal["messy", "empty"]


def world(seed: int, accounts: int = 24, *, partition: str = "aws", roles: int = 0, kind: Kind = "messy") -> World:
    """A world of plain dicts: the same bytes for the same arguments, in any process.

    `tenant` is the Entra ID side in the shapes of Microsoft Graph, `org` the AWS side, `demo` names the user who has no access yet (Britta
    Simon), her group, and the role that the group is to get. The keys are those of the sandbox's README. `roles` pads every account with
    service roles up to that number. `kind`: "messy" after years of hand work, or "empty", before the first step of the tutorial. Sizes
    from 3 to 10,000 accounts; raises ValueError outside of that, and for an unknown partition.
    """
    everyone = plain_seats(seed, accounts) if kind == "empty" else seats(seed, accounts)
    setting = Setting(seed, partition_named(partition), everyone[0].id, everyone[1].id)
    if kind == "empty":
        made, demo = empty.tenant(setting, everyone)
        return {"tenant": made, "org": empty.organization(setting, everyone), "demo": demo}
    made, demo = tenant(setting, everyone)
    org = organization(setting, everyone, object_ids(seed), roles=roles)
    return {"tenant": made, "org": org | {"entries": entries(seed, made, org)}, "demo": demo}
