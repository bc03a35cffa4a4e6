"""What 07-signin takes from Entra ID of the application itself: certificates, its own metadata, the claims in effect."""

from __future__ import annotations

from datetime import datetime

from awsfed_lib.core.certificate import certificates
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
    portal, _ = portal_claims(graph, service_principal) if not policies else (None, "")
    return Signer(wire, own, claims.effective(policies, portal), now)
