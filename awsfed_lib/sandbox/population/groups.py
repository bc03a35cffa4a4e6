"""Groups and who is assigned what: one group a role as the tutorial has it, and everything else that grows in a directory."""

import re
from typing import Any

from awsfed_lib.sandbox.population import seeds
from awsfed_lib.sandbox.population.accounts import Seat
from awsfed_lib.sandbox.population.applications import demo_role_name
from awsfed_lib.sandbox.population.people import BRITTA, User
from awsfed_lib.sandbox.population.roles import Setting, families

Group = dict[str, Any]
Assignment = dict[str, str]


def group(seed: int, shown: str, members: list[str], *labels: object, **more: Any) -> Group:
    """One group as Microsoft Graph sends it, with its direct members beside it."""
    plain: Group = {
        "id": seeds.guid(seed, "group", shown, *labels),
        "displayName": shown,
        "mailNickname": re.sub(r"[^A-Za-z0-9._-]", "", shown)[:64] or "group",
        "uniqueName": None,
        "securityEnabled": True,
        "mailEnabled": False,
        "groupTypes": [],
        "members": members,
    }
    return plain | more


class Directory:
    """Users, groups and assignments of one world while it is being made."""

    def __init__(self, setting: Setting, users: list[User], principal_id: str) -> None:
        self.seed = setting.seed
        self.setting = setting
        self.resource_id = principal_id
        self.users = users
        self.crowd = [user["id"] for user in users[8:]]  # Britta and the difficult ones come first and are placed by hand
        self.groups: list[Group] = []
        self.assignments: list[Assignment] = []

    def person(self, start: str) -> str:
        """The id of the user whose principal name starts so."""
        return next(str(user["id"]) for user in self.users if user["userPrincipalName"].startswith(start))

    def some(self, *labels: object) -> list[str]:
        """One to four of the ordinary people."""
        many = 1 + seeds.number(self.seed, "members", *labels) % 4
        return list(dict.fromkeys(seeds.pick(self.crowd, self.seed, "member", nth, *labels) for nth in range(many)))

    def add(self, new: Group) -> Group:
        """Keep the group."""
        self.groups.append(new)
        return new

    def created(self, shown: str, members: list[str], *labels: object) -> Group:
        """Keep a group as 05-groups creates it: with its name as uniqueName, which the first of two such groups has."""
        taken = any(one["uniqueName"] == shown for one in self.groups)
        return self.add(group(self.seed, shown, members, *labels, uniqueName=None if taken else shown))

    def assign(self, principal_id: str, app_role: dict[str, Any]) -> None:
        """Assign a user or group to a role of the main application."""
        self.assignments.append({"principalId": principal_id, "resourceId": self.resource_id, "appRoleId": app_role["id"]})


def populate(directory: Directory, everyone: list[Seat], app_roles: list[dict[str, Any]]) -> Group:
    """Fill the directory; returns the group that the demo will assign (Britta Simon's only one)."""
    usable = [role for role in app_roles if role["value"] is not None]
    demo = _demo_group(directory, everyone[2])
    _one_group_a_role(directory, usable)
    _waiting_groups(directory, everyone[:24])
    _by_hand(directory, usable)
    _of_other_kinds(directory)
    return demo


def _demo_group(directory: Directory, seat: Seat) -> Group:
    return directory.created(demo_role_name(seat), [directory.person(BRITTA)])


def _one_group_a_role(directory: Directory, app_roles: list[dict[str, Any]]) -> None:
    """The tutorial's one-to-one mapping, for nine roles of ten; the same role name in two accounts makes two groups of one name."""
    for role in app_roles:
        if role["isEnabled"] and seeds.chance(10, directory.seed, "no group", role["id"]):
            continue
        name = _role_name(role["value"])
        made = directory.created(name, directory.some(role["id"]), role["id"])
        directory.assign(made["id"], role)


def _role_name(value: str) -> str:
    role = next(arn for arn in value.split(",") if ":role/" in arn)
    return role.rsplit("/", 1)[-1]


def _waiting_groups(directory: Directory, seats: list[Seat]) -> None:
    """Groups that were made in advance, for roles that nobody has put into Entra ID yet."""
    known = {one["displayName"] for one in directory.groups}
    for seat in seats:
        for role in families(directory.setting, seat):
            if role["name"] not in known and seeds.chance(40, directory.seed, "waiting", role["name"]):
                known.add(role["name"])
                directory.created(role["name"], directory.some("waiting", role["name"]))
            elif role["name"] not in known and seeds.chance(5, directory.seed, "squatter", role["name"]):
                known.add(role["name"])
                _squatter(directory, role["name"])


def _squatter(directory: Directory, shown: str) -> None:
    """A group that somebody created under the name that the group of a role will have: many tenants let all users create groups."""
    somebody = directory.crowd[0]
    directory.add(group(directory.seed, shown, [somebody], "squatter", owners=[somebody], createdDateTime="2026-10-01T08:00:00Z"))


def _by_hand(directory: Directory, app_roles: list[dict[str, Any]]) -> None:
    first, second, third = app_roles[0], app_roles[1], app_roles[2]
    directory.assign(directory.person("dora.direct"), first)
    directory.assign(directory.person("maria_fabrikam"), second)
    directory.assign(directory.person("alexandra."), second)
    directory.assign(directory.person("dieter."), first)
    directory.assign(directory.person("sean."), third)
    inner = directory.add(group(directory.seed, "cloud-admins-europe", [directory.person("nadia.")]))
    outer = directory.add(group(directory.seed, "cloud-admins", [inner["id"], directory.crowd[0]]))
    directory.assign(outer["id"], first)
    empty = directory.add(group(directory.seed, "external-auditors", []))
    directory.assign(empty["id"], second)
    original = directory.groups[1]
    directory.add(group(directory.seed, original["displayName"], directory.some("copy"), "copy"))


def _of_other_kinds(directory: Directory) -> None:
    """Groups that are in every directory and can or should not be assigned."""
    seed = directory.seed
    directory.add(group(seed, "Sales Team", directory.some("team"), securityEnabled=False, mailEnabled=True, groupTypes=["Unified"]))
    directory.add(group(seed, "AWS Announcements", directory.some("list"), securityEnabled=False, mailEnabled=True))
    directory.add(
        group(seed, "All Employees", directory.crowd[:20], groupTypes=["DynamicMembership"], membershipRule="user.accountEnabled -eq true")
    )
    directory.add(group(seed, "Parking Garage", []))
