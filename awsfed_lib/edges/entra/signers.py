"""What 07-signin takes from Entra ID: the application with its certificates, metadata and claims, and everybody who is assigned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import pandas as pd

from awsfed_lib.core.certificate import certificates
from awsfed_lib.core.errors import GraphError
from awsfed_lib.core.saml import claims
from awsfed_lib.core.saml.metadata import parse
from awsfed_lib.core.saml.signer import Signer
from awsfed_lib.edges.entra import live_tables, objects, saml_reads
from awsfed_lib.edges.entra.auth import Session
from awsfed_lib.edges.entra.enterprise import portal_claims
from awsfed_lib.edges.entra.graph import Graph

KEYS = ("appId", "accountEnabled", "preferredSingleSignOnMode", "replyUrls", *live_tables.SIGNING)


def signer(graph: Graph, session: Session, service_principal: str, *, now: datetime) -> Signer:
    """Read it. An application without a certificate has no metadata of its own.

    Raises UnreadError, GraphError, and DocumentError for metadata that is not fit for AWS.
    """
    wire = graph.service_principal(service_principal, *KEYS)
    listed = certificates.read(wire)
    own = parse(saml_reads.metadata(session, objects.need(wire, "appId", "The service principal"))) if listed else None
    policies = live_tables.assigned_policies(graph, service_principal)
    portal, problem = portal_claims(graph, service_principal) if not policies else (None, "")
    if problem:
        graph.coverage.not_read("claims of the portal", problem, service_principal)
    elif not policies:
        graph.coverage.read("claims of the portal", service_principal)
    return Signer(wire, own, claims.effective(policies, portal), now)


def membership(graph: Graph, assigned: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read GROUPS and MEMBERS of the groups in ASSIGNMENTS; users who are assigned themselves are rows of MEMBERS without a group.

    A user whom Graph does not show is missing: then nothing is known of that name.
    """
    groups, members = graph.membership(assigned.loc[assigned.principal_type == "Group", "principal_id"])
    direct = set(assigned.loc[assigned.principal_type == "User", "principal_id"]) - set(members.member_id)
    alone = objects.members(("", user) for user in _users(graph, sorted(direct)))
    return groups, pd.concat([members, alone], ignore_index=True)


def _users(graph: Graph, ids: Iterable[str]) -> Iterator[dict[str, object]]:
    """Read users one by one: few are assigned themselves (User.ReadBasic.All; whether they are enabled takes User.Read.All)."""
    for identity in ids:
        try:
            wire = graph.one(f"/users/{live_tables.guid(identity)}?$select={','.join(objects.MEMBER_KEYS)}")
        except GraphError:
            continue
        yield {**wire, "@odata.type": "#microsoft.graph.user"}
