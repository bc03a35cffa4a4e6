"""Who has signed in to the main application lately: most people, some of them long ago, a few in vain."""

from collections.abc import Iterator
from typing import Any

from awsfed_lib.sandbox.population import seeds
from awsfed_lib.sandbox.population.groups import Directory

Visit = dict[str, Any]
HOURS = 29 * 24
DISABLED, NOT_ASSIGNED = 50057, 50105


def visits(directory: Directory) -> list[Visit]:
    """The sign-ins of the last month, each userId, resourceId, hoursAgo and errorCode (0 for a success)."""
    seed, made = directory.seed, []
    for user in sorted(_people(directory)):
        if seeds.chance(65, seed, "signs in", user):
            made += [_visit(directory, user, nth) for nth in range(1 + seeds.number(seed, "visits", user) % 4)]
    return [*made, *_in_vain(directory)]


def _people(directory: Directory) -> set[str]:
    """Those who are assigned, directly or as direct members of a group."""
    members = {group["id"]: group["members"] for group in directory.groups}
    return {user for one in directory.assignments for user in members.get(one["principalId"], [one["principalId"]]) if user not in members}


def _visit(directory: Directory, user: str, nth: int, code: int = 0) -> Visit:
    hours = seeds.number(directory.seed, "visit", user, nth) % HOURS
    return {"userId": user, "resourceId": directory.resource_id, "hoursAgo": hours, "errorCode": code}


def _in_vain(directory: Directory) -> Iterator[Visit]:
    yield _visit(directory, directory.person("dieter."), 9, DISABLED)
    yield _visit(directory, directory.person("left.company"), 9, NOT_ASSIGNED)
