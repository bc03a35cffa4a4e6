"""Real plans against the twin under one fault: what is wanted, what is allowed to go, and whether it came about in the end."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import made
import scripted
from sign_in_watch import Watch

from awsfed_lib.core.change import Guards
from awsfed_lib.core.errors import AwsfedError
from awsfed_lib.core.roles import approles, assignments, groups
from awsfed_lib.core.tables import APP_ROLES, MATCHED_GROUPS, ROLES, frame
from awsfed_lib.edges.entra.graph import Graph
from awsfed_lib.edges.records.journal import Journal
from awsfed_lib.edges.records.lock import Locks

GENEROUS = Guards(max_removed=100)
NEW = ("sales-new-one", "sales-new-two")
ROUNDS = 4


@dataclass(frozen=True)
class Shape:
    """One kind of job. `plans`: functions of Graph, one a runbook, that read and plan; `allowed`: assignments that it removes.

    `reached`: whether the twin holds what the job wants.
    """

    plans: tuple
    reached: object
    allowed: frozenset = frozenset()


@dataclass
class Ended:
    """How a run under faults ended: the verdict of each plan, or the error that stopped it, in words and by its code."""

    verdicts: list = field(default_factory=list)
    error: str = ""
    code: str = ""


class World:
    """The twin's own application in the words of the plans."""

    def __init__(self, twin):
        self.twin, self.tenant, self.id = twin, twin.tenant, twin.application_id
        everything = twin.tenant.tables
        self.groups = {}
        for group in everything["groups"].values():
            self.groups.setdefault(group["displayName"], group["id"])
        self.own = [role for role in twin.service_principal["appRoles"] if role.get("value")]
        self.account = next(approles.parse(role["value"]).account_id for role in self.own if "sales" in role["value"])
        self.accounts = made.accounts(*sorted({approles.parse(role["value"]).account_id for role in self.own}))

    def role(self, name):
        return next(role for role in self.own if name in role["value"])

    def edges(self, *names):
        ids = {self.role(name)["id"] for name in names}
        return frozenset(
            (one["principalId"], one["appRoleId"]) for one in self.tenant.tables["assignments"].values() if one["appRoleId"] in ids
        )

    # what is wanted of the appRoles

    def roles(self, *, add=(), drop=(), enable=(), disable=()):
        drop, enable, disable = ({self.role(name)["id"] for name in names} for names in (drop, enable, disable))
        rows = [
            {"value": approles.parse(role["value"]).value, "display_name": role["displayName"], "description": role["description"],
             "is_enabled": role["id"] in enable or (role["isEnabled"] and role["id"] not in disable)}
            for role in self.own if role["id"] not in drop
        ]  # fmt: skip
        new = [made.value(self.account, name) for name in add]
        rows += [{"value": value, "display_name": value[:60], "description": "new", "is_enabled": True} for value in new]
        desired = frame(APP_ROLES, rows)
        return lambda graph: self._plan_roles(graph, desired), lambda: self._roles_are(rows, drop)

    def _plan_roles(self, graph, desired):
        live, assigned = graph.app_roles(self.id), graph.assignments(self.id)
        return approles.plan(
            graph.application(self.id), live, desired,
            within=approles.inventoried(self.accounts, made.roles()), assignments=assigned, guards=GENEROUS, scopes=graph.scopes(self.id), jobs=graph.jobs(self.id),
        )  # fmt: skip

    def _roles_are(self, rows, dropped):
        live = self.twin.service_principal["appRoles"]
        states = {approles.parse(role["value"]).value: role["isEnabled"] for role in live if role.get("value")}
        return all(states.get(row["value"]) == row["is_enabled"] for row in rows) and not dropped & {role["id"] for role in live}

    # groups and assignments

    def new_groups(self, *names):
        rows = frame(ROLES, [made.role(self.account, name) for name in names])
        wanted = groups.desired(rows)
        return lambda graph: self._plan_groups(graph, wanted), lambda: self._groups_are(set(wanted.unique_name))

    def _matched(self, graph, wanted):
        live = graph.groups(names=wanted.group_name, unique_names=wanted.unique_name, ids=wanted.group_id)
        return groups.match(wanted, live), live

    def _plan_groups(self, graph, wanted):
        return groups.plan(graph.tenant(), *self._matched(graph, wanted))

    def _groups_are(self, names):
        """Made by us under their unique name, or by somebody else under the same display name."""
        live = self.tenant.tables["groups"].values()
        found = {group.get("uniqueName") for group in live} | {group["displayName"] for group in live}
        return names <= found

    def assigned(self, pairs, guards=Guards()):
        """`pairs`: names of roles and groups that are to be assigned. Where guards allow it, the other groups of these roles go."""
        wanted = [
            {"value": approles.parse(self.role(role)["value"]).value, "group_name": group, "unique_name": "", "group_id": self.groups[group],
             "source": "mapping", "how": "id", "problem": ""}
            for role, group in pairs
        ]  # fmt: skip
        goal = {(self.groups[group], self.role(role)["id"]) for role, group in pairs}
        others = {edge for edge in self.edges(*(role for role, _ in pairs)) - goal if edge[0] in self.tenant.tables["groups"]}
        gone = frozenset(others) if guards.max_removed else frozenset()
        matched = frame(MATCHED_GROUPS, wanted)
        return Shape((lambda graph: self._plan_assignments(graph, matched, guards),), lambda: self._assigned_are(goal, gone), gone)

    def one_group_each(self, **others):
        """Pairs of every role with the first of its groups, or with another one that is named."""
        names = {key: name for name, key in self.groups.items()}
        pairs = []
        for role in self.own:
            name = approles.parse(role["value"]).role_name
            held = [group for group, _ in sorted(self.edges(name)) if group in names]
            if held:
                pairs.append((name, others.get(name.replace("-", "_"), names[held[0]])))
        return pairs

    def _plan_assignments(self, graph, matched, guards):
        live, held = graph.app_roles(self.id), graph.assignments(self.id)
        within = self.accounts if guards.max_removed else made.accounts()
        return assignments.plan(graph.application(self.id), live, matched, held, within=within, guards=guards)

    def _assigned_are(self, goal, gone):
        live = {(one["principalId"], one["appRoleId"]) for one in self.tenant.tables["assignments"].values()}
        return goal <= live and not gone & live

    def new_assignments(self, *names):
        """Assign the new roles to the new groups of the same names."""
        rows = frame(ROLES, [made.role(self.account, name) for name in names])
        wanted = groups.desired(rows)

        def plan(graph):
            matched, _ = self._matched(graph, wanted)
            return self._plan_assignments(graph, matched, Guards())

        return plan, lambda: self._named_are(wanted)

    def _named_are(self, wanted):
        ids = {role["value"]: role["id"] for role in self.twin.service_principal["appRoles"]}
        held = {one["appRoleId"] for one in self.tenant.tables["assignments"].values()}
        return all(ids.get(value) in held for value in wanted.value)


def _of_roles(*, drop=(), **wanted):
    def made_of(world):
        plan, reached = world.roles(drop=drop, **wanted)
        return Shape((plan,), reached, world.edges(*drop))

    return made_of


def _of_groups(*names):
    def made_of(world):
        plan, reached = world.new_groups(*names)
        return Shape((plan,), reached)

    return made_of


def _reassign(world):
    return world.assigned(world.one_group_each(sales_aws_admin="external-auditors"), GENEROUS)


def _chain(world):
    parts = world.roles(add=NEW[:1]), world.new_groups(NEW[0]), world.new_assignments(NEW[0])
    return Shape(tuple(plan for plan, _ in parts), lambda: all(reached() for _, reached in parts))


SEVERAL = (("sales-aws-admin", "cloud-admins"), ("sales-finance-admin", "cloud-admins"), ("sales-devops-user", "external-auditors"))
SHAPES = {
    "add": _of_roles(add=NEW),
    "switch": _of_roles(enable=["sales-tpm-user"], disable=["sales-devops-user"]),
    "remove": _of_roles(drop=("sales-intern", "contoso-management-finance")),
    "mixed": _of_roles(add=NEW[:1], drop=("contoso-management-audit-2018",), enable=["sales-tpm-user"]),
    "groups": _of_groups("new-a", "new-b", "new-c"),
    "group": _of_groups("new-a"),
    "assign": lambda world: world.assigned(SEVERAL),
    "reassign": _reassign,
    "chain": _chain,
}


def shape(twin, name):
    """One kind of job, for the twin as it is now: every way in which the tutorial's three runbooks change the tenant has its name."""
    return SHAPES[name](World(twin))


class Runs:
    """Runs of one shape against one twin, each with a real journal in a folder of its own."""

    def __init__(self, twin, shape, session, folder: Path):
        self.twin, self.shape, self.session, self.folder = twin, shape, session, folder

    def run(self):
        """Read, plan, approve and send, runbook by runbook, and stop where one does not end well."""
        ended = Ended()
        graph = Graph.writing(self.session, clock=scripted.Hours().clock)
        try:
            for plan in self.shape.plans:
                ended.verdicts.append(self._one(plan(graph), graph))
                if ended.verdicts[-1] not in ("applied", "nothing to do"):
                    break
        except AwsfedError as error:
            ended.error, ended.code = f"{type(error).__name__}: {error.what}", error.code
        return ended

    def _one(self, plan, graph):
        with TemporaryDirectory(dir=self.folder) as folder:
            journal = Journal(Path(folder), Locks(self.folder / "locks", patience=0.0), lambda: datetime.now(UTC))
            try:
                return plan.apply(graph, approved=plan.id, journal=journal).verdict
            finally:
                journal.close()

    def settle(self):
        """Run again without faults until there is nothing to do; returns the ends of these runs.

        Each signs in anew where a sign-in failed before, as a new process does: MSAL keeps a refusal of the service for a minute.
        """
        ends = []
        for _ in range(ROUNDS):
            ends.append(self.run())
            if ends[-1].error.startswith("SignInError"):
                self.session = self.twin.session("writer")
                ends[-1] = self.run()
            if set(ends[-1].verdicts) == {"nothing to do"}:
                break
        return ends


__all__ = ["SHAPES", "Ended", "Runs", "Shape", "Watch", "shape"]
