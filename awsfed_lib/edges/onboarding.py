"""One new account, from nothing to a proven sign-in: provider and roles, groups, appRoles, assignments, in this order."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from awsfed_lib.core.accounts.course import Course, Step
from awsfed_lib.core.finding import finding
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.review.evidence import Evidence
from awsfed_lib.core.roles import approles, assignments, groups
from awsfed_lib.core.saml.signin import proof
from awsfed_lib.core.tables import FINDINGS, frame, rows
from awsfed_lib.edges.amazon import aws
from awsfed_lib.edges.amazon.reading import name_of, require_provider
from awsfed_lib.edges.amazon.survey import Survey
from awsfed_lib.edges.records.run import Run
from awsfed_lib.edges.signin import membership, signer

__all__ = ["course", "findings", "proven"]


def course(run: Run, found: Survey, desired: pd.DataFrame, *, label: str, group: str) -> Course:
    """Read what Entra ID has, and plan every step of desired IAM_ROLES of one account. Only additions and corrections are planned.

    Raises ParameterError (provider-not-found) for a provider that neither the account nor any appRole names.
    `label`: template of the display name of an appRole; `group`: template of the name of a group.
    """
    given, graph = run.parameters, run.graph()
    live, assigned = graph.app_roles(given.application_id), graph.assignments(given.application_id)
    require_provider(given.provider, [*approles.providers(live), *filter(None, found.documents["provider_arn"])])
    ours = found.trusting["role_arn"].isin(desired["role_arn"]) & (found.trusting["provider_arn"].map(name_of) == given.provider)
    roles = found.trusting[ours].reset_index(drop=True)
    wanted = groups.desired(roles, name=group, mapping=run.mapping)
    there = graph.groups(names=wanted["group_name"], unique_names=wanted["unique_name"], ids=wanted["group_id"])
    matched, application = groups.match(wanted, there), graph.application(given.application_id)
    terms = run.terms(found.documents)
    in_aws = aws.federation(run, found.roles, desired, within=found.accounts, terms=terms)
    scopes, jobs = graph.scopes(given.application_id), graph.jobs(given.application_id)
    wanted_roles, known = approles.render(roles, label=label), approles.inventoried(found.accounts, found.trusting)
    of_roles = approles.plan(
        application,
        live,
        wanted_roles,
        within=known,
        assignments=assigned,
        guards=run.guards,
        scopes=scopes,
        jobs=jobs,
        mode=graph.sign_on_mode(given.application_id),
    )
    links = assignments.plan(application, live, matched, assigned, within=found.accounts, guards=run.guards)
    return Course((
        Step("SAML provider and roles in the account", in_aws, _unread(in_aws)),
        Step("groups with the names of the roles", groups.plan(graph.tenant(), matched, there, creator=graph.creator()), _blocked(matched)),
        Step("appRoles of the application", of_roles),
        Step("one group assigned to one role", links),
    ))  # fmt: skip


def _unread(plan: Plan) -> str:
    """Why nothing can be planned for the account; "" when it was read."""
    return next((change.why for change in plan.changes if change.kind == "account" and change.action == "keep"), "")


def _blocked(matched: pd.DataFrame) -> str:
    problems = sorted({row["problem"] for row in rows(matched) if row["problem"]})
    return "; ".join(problems)


def proven(run: Run, desired: pd.DataFrame) -> pd.DataFrame:
    """Read everything again, and follow every assignment of the account's roles to its end: SIGN_INS."""
    given, graph = run.parameters, run.graph()
    signing = signer(graph, run.session, given.application_id, now=run.clock())
    live, assigned = graph.app_roles(given.application_id), graph.assignments(given.application_id)
    mine = set(live.loc[live["value"].str.startswith(tuple(f"{arn}," for arn in desired["role_arn"])), "app_role_id"])
    ours = assigned[assigned["app_role_id"].isin(mine)].reset_index(drop=True)
    found_groups, members = membership(graph, ours, signing)
    accounts, roles = aws.inventory(run.organization, provider="", recipients=signing.default_recipient)
    read, providers = aws.providers(run.organization)
    return proof(Evidence(live, ours, members, found_groups, roles, accounts), signing.keys(read, providers))


def findings(course: Course, desired: pd.DataFrame, paths: pd.DataFrame) -> pd.DataFrame:
    """Say of every desired role whether somebody can sign in to it: FINDINGS, none as long as steps are left."""
    if not course.finished:
        blocked = [step for step in course.steps if step.blocked]
        made = (
            finding("high", "onboard-blocked", step.name, cause=step.blocked, remedy="Mend it, and run this runbook again.")
            for step in blocked
        )
        return frame(FINDINGS, made)
    return frame(FINDINGS, _unproven(desired, paths))


def _unproven(desired: pd.DataFrame, paths: pd.DataFrame) -> Iterator[dict[str, str]]:
    for arn in desired["role_arn"]:
        listed = [row for row in rows(paths) if row["role_arn"] == arn]
        if any(row["verdict"] in ("works", "console only") for row in listed):
            continue
        first = next(iter(listed), None)
        cause = first["cause"] if first else "Nobody is assigned to it."
        severity = "low" if first and first["link"] == "members" else "high"
        remedy = first["remedy"] if first else "Run this runbook again, or 06-assignments."
        yield finding(severity, "onboard-unproven", arn, cause=cause, remedy=remedy)
