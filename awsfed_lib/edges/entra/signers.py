"""What 07-signin takes from Entra ID: the application with its certificates, metadata and claims, and everybody who is assigned."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from awsfed_lib.core.certificate import certificates
from awsfed_lib.core.coverage import USERS
from awsfed_lib.core.errors import GraphError, TableError, UnreadError
from awsfed_lib.core.saml import claims
from awsfed_lib.core.saml.metadata import parse
from awsfed_lib.core.saml.signer import Signer
from awsfed_lib.edges.entra import live_tables, objects, saml_reads
from awsfed_lib.edges.entra.auth import Session
from awsfed_lib.edges.entra.enterprise import NOT_FOUND, portal_claims
from awsfed_lib.edges.entra.graph import Graph

KEYS = (
    "appId", "accountEnabled", "appRoleAssignmentRequired", "preferredSingleSignOnMode", "replyUrls", "servicePrincipalNames",
    "tokenEncryptionKeyId", *live_tables.SIGNING,
)  # fmt: skip


def signer(graph: Graph, session: Session, service_principal: str, *, now: datetime) -> Signer:
    """Read it. An application without a certificate has no metadata of its own.

    Raises UnreadError, GraphError, and DocumentError for metadata that is not fit for AWS.
    """
    wire = graph.service_principal(service_principal, *KEYS)
    for name in ("replyUrls", "servicePrincipalNames"):
        if not isinstance(wire.get(name), list):
            raise UnreadError(f"The service principal came without its {name}.", where=service_principal, remedy="Run it again.")
    listed = certificates.read(wire)
    own = parse(saml_reads.metadata(session, objects.need(wire, "appId", "The service principal"))) if listed else None
    found, problem, doubt = _claims(graph, service_principal)
    if problem:
        graph.coverage.not_read("claims", problem, service_principal)
    else:
        graph.coverage.read("claims", service_principal)
    return Signer(wire, own, found, now, problem or doubt)


def _claims(graph: Graph, service_principal: str) -> tuple[pd.DataFrame, str, str]:
    """Read CLAIMS in effect; why they could not be read, and why what was read does not tell what is sent: "" for neither."""
    try:
        policies = live_tables.assigned_policies(graph, service_principal)
        portal, problem = portal_claims(graph, service_principal) if not policies else (None, "")
    except GraphError as refusal:
        return claims.effective((), None, refusal.what), refusal.what, ""
    try:
        found = claims.effective(policies, portal, problem)
    except TableError as error:
        return claims.effective((), None, error.what), error.what, ""
    return found, problem, claims.doubt(policies, portal)


def membership(graph: Graph, assigned: pd.DataFrame, of: Signer | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read GROUPS and MEMBERS of the groups in ASSIGNMENTS; users who are assigned themselves are rows of MEMBERS without a group.

    `of`: the application, for the attributes of users that its claims name. Somebody who is gone (404) has no row; of somebody
    whom Graph does not show, only the name of the assignment is known.
    """
    attributes = of.attributes if of else ()
    groups, members = graph.membership(assigned.loc[assigned.principal_type == "Group", "principal_id"], attributes)
    users = assigned[(assigned.principal_type == "User") & ~assigned.principal_id.isin(members.member_id)]
    names = dict(zip(users.principal_id, users.principal_name, strict=True))
    alone = [_user(identity, names[identity], found) for identity, found in graph.users(names, attributes).items() if not _is_gone(found)]
    people = pd.concat([members, objects.members((("", user) for user in alone), attributes)], ignore_index=True)
    users = people[people.member_type == "User"]
    unknown = int((users.enabled.isna() | (users.user_name == "")).sum())
    if unknown:
        problem = f"Who they are, or whether they are enabled, is not known of {unknown} of {len(users)} users: it takes User.Read.All."
        graph.coverage.not_read(USERS, problem)
    else:
        graph.coverage.read(USERS)
    if unknown < len(users):
        graph.coverage.read(USERS, "users who are shown")
    return groups, people


def _is_gone(found: Mapping[str, Any] | GraphError) -> bool:
    return isinstance(found, GraphError) and found.status == NOT_FOUND


def _user(identity: str, name: str, found: Mapping[str, Any] | GraphError) -> dict[str, Any]:
    shown = {"id": identity, "displayName": name} if isinstance(found, GraphError) else found
    return {**shown, "@odata.type": "#microsoft.graph.user"}
