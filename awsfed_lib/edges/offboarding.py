"""One account leaves: assignments and appRoles first, so that nobody is sent to a role that is gone, then roles, then provider."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import pandas as pd

from awsfed_lib.core.accounts import removal
from awsfed_lib.core.accounts.course import Course, Step
from awsfed_lib.core.accounts.ownership import Owners, owned_holders, owned_roles, unowned
from awsfed_lib.core.certificate import distribution
from awsfed_lib.core.finding import finding
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.recovery_shapes import LOST_PATHS
from awsfed_lib.core.roles import approles, lost_paths, open_sessions
from awsfed_lib.core.roles.asked import Asked
from awsfed_lib.core.roles.pair import parse
from awsfed_lib.core.shapes import DOCUMENTS, IAM_ROLES
from awsfed_lib.core.tables import ACCOUNTS, APP_ROLES, FINDINGS, ROLES, frame, read_in_full, rows
from awsfed_lib.edges.amazon import aws
from awsfed_lib.edges.amazon.ownership import owners
from awsfed_lib.edges.amazon.reading import require_provider
from awsfed_lib.edges.amazon.selection import Selection
from awsfed_lib.edges.amazon.survey import Survey
from awsfed_lib.edges.entra import cut
from awsfed_lib.edges.records.run import Run

__all__ = ["Losses", "course", "findings", "losses", "survey"]
GONE = "It is none of the accounts of the organization; only what Entra ID has of it can be removed."


class Losses(NamedTuple):
    """Who loses what: LOST_PATHS; OPEN_SESSIONS that live on; and the groups that give nothing in this account any more."""

    paths: pd.DataFrame
    sessions: pd.DataFrame
    groups: pd.DataFrame


def survey(run: Run) -> Survey:
    """Read the account; one that has left the organization is a row that says so, and nothing of it is planned in AWS."""
    account_id = run.parameters.account_id
    everyone = aws.listed(replace(run.organization, only=Selection()))
    if account_id in set(everyone["account_id"]):
        return aws.survey(run.organization, run.families)
    row = {"account_id": account_id, "problem": GONE}
    return Survey(frame(ACCOUNTS, [row]), frame(DOCUMENTS, [row]), frame(IAM_ROLES, []), frame(ROLES, []))


def losses(run: Run) -> Losses:
    """Read who has a role of the account through Entra ID."""
    given, graph = run.parameters, run.graph()
    live, assigned = graph.app_roles(given.application_id), graph.assignments(given.application_id)
    ids = {row["app_role_id"] for row in rows(live) if (pair := parse(row["value"])) and pair.account_id == given.account_id}
    lost = (
        lost_paths.lost(live, assigned, cut.read(graph, live, assigned, Asked("account", given.account_id)))
        if ids
        else frame(LOST_PATHS, [])
    )
    held = assigned[assigned["app_role_id"].isin(ids) & (assigned["principal_type"] == "Group")]
    named = held[["principal_id", "principal_name"]].drop_duplicates().sort_values("principal_name", ignore_index=True)
    return Losses(lost, open_sessions.table(lost), named.rename(columns={"principal_id": "group_id", "principal_name": "group_name"}))


def course(run: Run, found: Survey) -> Course:
    """Plan both steps: what Entra ID has of the account, then what the account has. More than max_removed is refused.

    Raises ParameterError (provider-not-found) for a provider that neither the account nor any appRole names.
    """
    given, graph = run.parameters, run.graph()
    application = graph.application(given.application_id)
    live, assigned = graph.app_roles(given.application_id), graph.assignments(given.application_id)
    scopes, jobs = graph.scopes(given.application_id), graph.jobs(given.application_id)
    require_provider(given.provider, [*approles.providers(live), *filter(None, found.documents["provider_arn"])])
    in_entra = approles.plan(
        application,
        live,
        frame(APP_ROLES, []),
        within=approles.leaving(given.account_id),
        assignments=assigned,
        guards=run.guards,
        scopes=scopes,
        jobs=jobs,
        mode=graph.sign_on_mode(given.application_id),
    )
    return Course((
        Step("assignments and appRoles of the account", in_entra, "" if in_entra else _stays(run, in_entra)),
        _in_account(run, found),
    ))  # fmt: skip


def _stays(run: Run, plan: Plan) -> str:
    """Why appRoles of the account stay; "" when none is left."""
    kept = [change for change in plan.changes if change.kind == "appRole" and change.action == "keep"]
    ours = [change for change in kept if (pair := parse(change.key)) and pair.account_id == run.parameters.account_id]
    if ours and not run.guards.max_removed:
        return f"{len(ours)} appRoles of the account would go, and max_removed is 0. Give the number that you mean to remove."
    return ours[0].why if ours else ""


def _in_account(run: Run, found: Survey) -> Step:
    name = "roles, then the SAML provider, in the account"
    account, holder = rows(found.accounts)[0], distribution.read(found.documents)[0]
    if account["account_id"] not in read_in_full(found.accounts):
        left = account["state"] not in ("", "ACTIVE") or account["problem"] == GONE
        step = Step(name, removal.nothing(run.aws.subject, account["account_id"], account["problem"]))
        return step if left else step._replace(blocked=account["problem"])
    known = found.trusting["provider_arn"].isin([holder.provider_arn, ""])  # "": its trust could not be understood
    trusting = sorted(set(found.trusting.loc[known, "role_arn"]))

    def planned(known: Owners) -> Plan:
        (among,) = owned_holders([holder], known)
        return removal.plan(run.aws.subject, rows(owned_roles(found.roles, known)), among, trusting=trusting, guards=run.guards)

    return Step(name, unowned(planned, partial(owners, run.organization))[0])


def findings(course: Course) -> pd.DataFrame:
    """Say what is left behind in the account, and why: FINDINGS."""
    kept = (change for change in course.steps[-1].plan.changes if change.action == "keep")
    made = (finding("low", "offboard-kept", change.label, cause=change.why, remedy="Look at it by hand.") for change in kept)
    return frame(FINDINGS, made)
