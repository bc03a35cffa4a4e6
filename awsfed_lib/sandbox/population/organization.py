"""The organization of a world: every account with its providers and roles."""

from typing import Any

from awsfed_lib.sandbox.population import seeds
from awsfed_lib.sandbox.population.accounts import TUTORIAL_ACCOUNT, Seat, ordinary
from awsfed_lib.sandbox.population.oddities import oddities
from awsfed_lib.sandbox.population.roles import (
    Role,
    Setting,
    families,
    identity_center_provider,
    left_by_aws,
    own,
    padding,
    stacks,
    tutorial,
)

Account = dict[str, Any]


def organization(setting: Setting, everyone: list[Seat], applications: dict[str, str], *, roles: int) -> dict[str, Any]:
    """The `org` part of the world; `applications`: service principal ids of `main` and `tutorial`; `roles`: the least per account."""
    odd = _placed(setting, everyone)
    return of_accounts(setting, [_account(setting, seat, applications, _roles(setting, seat, odd, roles)) for seat in everyone])


def of_accounts(setting: Setting, accounts: list[Account]) -> dict[str, Any]:
    """An organization with these accounts: what is the same in every world."""
    return {
        "partition": setting.place.name,
        "management": setting.management,
        "hub": setting.hub,
        "organization_id": "o-" + seeds.token(10, setting.seed, "organization"),
        "audit_role": "awsfed-audit",
        "writer_role": "awsfed-writer",
        "external_id": setting.external_id,
        "accounts": accounts,
    }


def _placed(setting: Setting, everyone: list[Seat]) -> dict[int, list[int]]:
    """Which oddities each account holds: all of them somewhere, however small the world, and again in every fortieth account."""
    hosts = [seat for seat in ordinary(everyone) if not setting.unprepared(seat)]
    placed: dict[int, list[int]] = {}
    for number in range(len(oddities())):
        for host in _hosts(hosts, number):
            placed.setdefault(host, []).append(number)
    return placed


def _hosts(hosts: list[Seat], number: int) -> list[int]:
    if len(hosts) <= 40:
        return [hosts[number % len(hosts)].place]
    return [seat.place for seat in hosts[number % 40 :: 40]]


def _roles(setting: Setting, seat: Seat, odd: dict[int, list[int]], wanted: int) -> list[Role]:
    found = left_by_aws(setting, seat) + own(setting, seat)
    if seat.id == TUTORIAL_ACCOUNT:
        found += tutorial(setting)
    elif not setting.unprepared(seat):
        found += families(setting, seat)
    builders = oddities()
    other = Seat(0, setting.management, "", "", "ACTIVE", "ok")
    found += [builders[number](setting, seat, other) for number in odd.get(seat.place, [])]
    return found + padding(setting, seat, wanted, len(found))


def _account(setting: Setting, seat: Seat, applications: dict[str, str], roles: list[Role]) -> Account:
    return {
        "id": seat.id,
        "name": seat.name,
        "ou": seat.ou,
        "state": seat.state,
        "reach": seat.reach,
        "providers": _providers(setting, seat, applications, roles),
        "roles": roles,
        "stacks": stacks(setting, seat, roles),
    }


def _providers(setting: Setting, seat: Seat, applications: dict[str, str], roles: list[Role]) -> list[dict[str, Any]]:
    found = [_provider(identity_center_provider(setting, seat), None)]
    if not setting.unprepared(seat):
        found.append(_federation(setting, seat, applications))
    if any(role["name"] == "two-providers" for role in roles):
        found.append(_provider("Okta", None))
    return found


def _federation(setting: Setting, seat: Seat, applications: dict[str, str]) -> dict[str, Any]:
    """The account's provider for Entra ID: mostly right, sometimes an old certificate, sometimes another application's metadata."""
    if seat.id == TUTORIAL_ACCOUNT or seat.place == 17 or seat.place % 150 == 117:
        return _provider("WAAD", applications["tutorial"])
    stale = seat.place == 12 or (seat.place > 24 and seat.place % 20 == 12)
    return _provider(setting.provider_name(seat), applications["main"], certificate="stale" if stale else "current")


def _provider(name: str, application: str | None, *, certificate: str = "current") -> dict[str, Any]:
    return {"name": name, "app": application, "certificate": certificate}
