"""A world before federation: a tenant without the AWS application, accounts without SAML provider and without federated roles.

It has what Microsoft's tutorial asks for before its first step: people, licences, AWS accounts; and awsfed's own sign-ins and roles. Ids of
tenant, clients, people and accounts are those of the other world of the same seed, so that one parameter file fits both.
"""

from typing import Any

from awsfed_lib.sandbox.population import seeds
from awsfed_lib.sandbox.population.accounts import Seat
from awsfed_lib.sandbox.population.applications import demo_role_name, value
from awsfed_lib.sandbox.population.groups import group
from awsfed_lib.sandbox.population.organization import of_accounts
from awsfed_lib.sandbox.population.people import DOMAIN, users
from awsfed_lib.sandbox.population.roles import Role, Setting, left_by_aws, own, stacks
from awsfed_lib.sandbox.population.tenant import clients, premium

IDENTITY_CENTER = "AWSReservedSSO_"


def tenant(setting: Setting, everyone: list[Seat]) -> tuple[dict[str, Any], dict[str, str]]:
    """The `tenant` part of the world, and the `demo` part: what the demo's user is to get, of which nothing is there yet."""
    people = users(setting.seed, len(everyone))
    crowd = [user["id"] for user in people[8:]]
    made = {
        "id": seeds.guid(setting.seed, "tenant"),
        "domain": DOMAIN,
        "applications": [],
        "servicePrincipals": [],
        "users": people,
        "groups": [group(setting.seed, "Parking Garage", crowd[:3])],
        "assignments": [],
        "clients": clients(setting.seed),
        "subscribedSkus": [premium(setting.seed)],
        "main": "",
    }
    seat = everyone[2]
    name = demo_role_name(seat)
    wanted = {
        "role_arn": setting.place.iam(seat.id, f"role/{name}"),
        "provider_arn": setting.provider(seat),
        "value": value(setting, seat, name),
    }
    return made, {"user": people[0]["id"], "group": "", "account": seat.id, **wanted, "application": ""}


def organization(setting: Setting, everyone: list[Seat]) -> dict[str, Any]:
    """The `org` part of the world: every account works and can be reached."""
    return of_accounts(setting, [_account(setting, seat, left_by_aws(setting, seat) + own(setting, seat)) for seat in everyone])


def _account(setting: Setting, seat: Seat, roles: list[Role]) -> dict[str, Any]:
    return {
        "id": seat.id,
        "name": seat.name,
        "ou": seat.ou,
        "state": seat.state,
        "reach": seat.reach,
        "providers": [],
        "roles": [role for role in roles if not role["name"].startswith(IDENTITY_CENTER)],
        "stacks": stacks(setting, seat, roles),
    }
