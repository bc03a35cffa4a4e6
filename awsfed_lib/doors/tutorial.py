"""`awsfed tutorial`: Microsoft's tutorial from an empty tenant to a proven sign-in for every role, as real runs against the sandbox.

01-application → 02-accounts → 03-inventory → 04-approles → 05-groups → 06-assignments → 07-signin, each plan sent by the
id that its record shows. Two things a person does in between: the Object ID goes into the parameter file, and people
become members of the new groups. Afterwards everything is run once more, and must plan nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

from awsfed_lib.core.errors import OutcomeError
from awsfed_lib.core.saml.saml_attributes import session_name_problem
from awsfed_lib.core.tables import rows
from awsfed_lib.doors.runner import Result
from awsfed_lib.doors.walk import MOST_PLANS, Say, Walk
from awsfed_lib.edges.records import where
from awsfed_lib.sandbox import by_hand
from awsfed_lib.sandbox.serve import Sandbox, Size
from awsfed_lib.sandbox.switches import Cloud

FILE = "tutorial.yml"
ACCOUNTS = 6
FIRST, CHAIN, PROOF = "01", ("02", "03", "04", "05", "06"), "07"
CHANGING = tuple(number for number in (FIRST, *CHAIN) if number != "03")
PARTITIONS: Mapping[Cloud, str] = {"global": "aws", "usgov": "aws-us-gov", "china": "aws-cn"}
DONE = ("nothing to do", "done")


class Way(NamedTuple):
    """A sign-in that the parameter file promises: `users` are members of the group that is named like the role."""

    role_arn: str
    group_id: str
    users: tuple[str, ...]


class Proven(NamedTuple):
    """What the tutorial came to: the figures of its closing line."""

    accounts: int
    roles: int
    groups: int
    sign_ins: int
    plans: int
    runs: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"tutorial  {self.accounts} accounts, {self.roles} roles, {self.groups} groups: {self.sign_ins} of {self.sign_ins} sign-ins"
            f" proven; {self.plans} plans sent in {self.runs} runs, the second pass planned nothing; {self.seconds:.0f} s"
        )


def tutorial(say: Say, accounts: int = ACCOUNTS, cloud: Cloud = "global") -> Proven:
    """Walk the tutorial over so many accounts, in one of Microsoft's clouds and the partition of AWS beside it, and say its closing line.

    Raises OutcomeError when a run failed, when a sign-in is not possible in the end, or when the second pass plans something.
    """
    began = time.monotonic()
    with Sandbox(where.sandbox_file().parent, Size(accounts=accounts, partition=PARTITIONS[cloud], world="empty", cloud=cloud)) as sandbox:
        say(f"sandbox  {accounts} AWS accounts without federation, one Entra ID tenant without the application, on this machine only")
        walk = Walk(noted("partition", f"{PARTITIONS[cloud]}", where.parameters() / FILE), say)
        noted("application_id", f'"{_made(walk, sandbox)}"', walk.file)
        for number in CHAIN:
            walk.send(number)
        ways = tuple(_joined(sandbox, _table(walk.last(CHAIN[0]), "desired_roles")))
        _prove(sandbox, walk, ways)
        for number in CHANGING:
            _nothing_left(walk.run(number))
        roles, groups = {way.role_arn for way in ways}, {way.group_id for way in ways}
        proven = Proven(accounts, len(roles), len(groups), sum(len(way.users) for way in ways), walk.sent, len(walk.results), 0)
    proven = proven._replace(seconds=time.monotonic() - began)
    say(str(proven))
    return proven


def noted(name: str, value: str, template: Path) -> Path:
    """Write the parameter file of the walk, beside the sandbox's description: `template` with this value of the parameter `name`."""
    text = re.sub(rf"(?m)^{name}: \S+", f"{name}: {value}", template.read_text(encoding="utf-8"))
    path = where.sandbox_file().with_name(FILE)
    path.write_text(text, encoding="utf-8")
    return path


def _made(walk: Walk, sandbox: Sandbox) -> str:
    """Run 01-application until its table says that nothing is left; give the Object ID that the table asks to note down.

    Where Graph makes no certificate, a person makes it in the portal, as the runbook's recipe says.
    """
    for _ in range(MOST_PLANS):
        told = {row["fact"].partition(" (")[0]: row["value"] for row in _table(walk.send(FIRST), "noted")}
        if told["next"].startswith("nothing"):
            return str(told["Object ID"])
        if "recipe" in told["next"]:
            by_hand.new_certificate(sandbox.tenant, told["Object ID"], "CN=AWS of the portal")
    raise OutcomeError(f"01-application has still something left after {MOST_PLANS} plans.", where=str(walk.file))


def _table(result: Result, name: str) -> list[dict[str, Any]]:
    return rows(result.record.table(name))


def _joined(sandbox: Sandbox, desired: list[dict[str, Any]]) -> Iterator[Way]:
    """Make people members, as the tutorial asks: "You can then add the members who belong to that group."."""
    tables = sandbox.tenant.tables
    groups = {group["displayName"]: key for key, group in tables["groups"].items()}
    people = [user["id"] for user in sandbox.world["tenant"]["users"] if _can_have_a_session(user)]
    others = cycle(people[1:])
    for role in desired:
        way = Way(role["role_arn"], groups[role["role_name"]], (people[0], next(others)))
        by_hand.add_members(sandbox.tenant, way.group_id, way.users)
        yield way


def _can_have_a_session(user: Mapping[str, Any]) -> bool:
    """Whether AWS takes the user at all; 01-application names those whose user name it refuses."""
    return user["accountEnabled"] and not session_name_problem(user["userPrincipalName"])


def _prove(sandbox: Sandbox, walk: Walk, ways: tuple[Way, ...]) -> None:
    """Prove every sign-in twice: by runbook 07-signin, and by a signed response that the accounts judge."""
    paths = _table(walk.run(PROOF), "sign_ins")
    broken = [f"{path['role_arn']}: {path['cause']}" for path in paths if path["verdict"] != "works"]
    missing = [way.role_arn for way in ways if way.role_arn not in {path["role_arn"] for path in paths}]
    tried = ((way.role_arn, *sandbox.can_sign_in(user, way.role_arn)) for way in ways for user in way.users)
    refused = [f"{role_arn}: {why}" for role_arn, reached, why in tried if not reached]
    if broken or missing or refused:
        raise OutcomeError("Not everybody can sign in: " + "; ".join([*broken, *missing, *refused][:5]), where=str(walk.file))


def _nothing_left(result: Result) -> None:
    if result.verdict not in DONE:
        raise OutcomeError(f"The second pass is not done: {result.verdict}.", where=str(result.record.folder))
