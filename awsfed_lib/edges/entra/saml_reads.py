"""What the plans of the SAML side take from Graph: settings, claims policies, signing certificates, instances, metadata.

The metadata is public, and comes from the sign-in host: learn.microsoft.com entra/identity-platform/federation-metadata.
"""

from __future__ import annotations

import re
from urllib.parse import quote

import urllib3.exceptions as u3

from awsfed_lib.core.certificate import certificates
from awsfed_lib.core.certificate.certificates import SigningCertificate
from awsfed_lib.core.errors import UnreadError
from awsfed_lib.core.saml.application import LiveApplication
from awsfed_lib.core.saml.claim_plan import LivePolicies
from awsfed_lib.edges.entra import live_tables, objects, pages
from awsfed_lib.edges.entra.auth import Session
from awsfed_lib.edges.entra.connection import Lost, connect, lost
from awsfed_lib.edges.entra.live_tables import Reader, Wire

TRIES = 3


def settings(graph: Reader, service_principal: str) -> LiveApplication:
    """Read both halves of the application, and the identifiers that the other applications of the tenant have."""
    half = graph.service_principal(service_principal)
    app_id = objects.need(half, "appId", "The service principal")
    own = graph.one(f"/applications(appId='{live_tables.guid(app_id)}')")
    others = [other for other in graph.read("/applications?$select=id,identifierUris&$top=999") if other.get("id") != own.get("id")]
    return LiveApplication(half, own, tuple(sorted({uri for other in others for uri in other.get("identifierUris") or []})))


def policies(graph: Reader, service_principal: str, *, name: str) -> LivePolicies:
    """Read the claims mapping policies of the service principal, those of the tenant called `name`, and which are shared."""
    in_use = live_tables.policies_in_use(graph)
    assigned = [(policy, holders) for policy, holders in in_use if service_principal in holders]
    shared = tuple(policy["id"] for policy, holders in assigned if holders - {service_principal})
    named = tuple(policy for policy, _ in in_use if policy.get("displayName") == name)
    return LivePolicies(tuple(policy for policy, _ in assigned), named, shared)


def signing_certificates(graph: Reader, service_principal: str) -> tuple[SigningCertificate, ...]:
    """Read the signing certificates of a service principal, oldest first."""
    return certificates.read(live_tables.signing(graph, service_principal)[0])


def instances(graph: Reader, *, name: str, tag: str) -> Wire:
    """Read the service principals called `name`, and those with the tag `tag`, each once."""
    tagged = graph.read(f"/servicePrincipals?$filter=tags/any(t:t%20eq%20{pages.quoted(tag)})&$top=999")
    found = [*live_tables.instances(graph, name), *tagged]
    return list({objects.need(wire, "id", "A service principal"): wire for wire in found}.values())


def metadata(session: Session, app_id: str) -> bytes:
    """Read the federation metadata of one application: with its own certificates, not with those of the tenant.

    Without `?appid=` Entra answers with keys that do not sign for the application. Raises UnreadError.
    """
    if not re.fullmatch(r"[0-9A-Za-z-]{1,64}", app_id):
        raise UnreadError(f"{app_id!r} is not an application id.", remedy="It is the appId of the service principal, a GUID.")
    path = f"{quote(session.tenant_id)}/federationmetadata/2007-06/federationmetadata.xml?appid={app_id}"
    answers = (_fetched(session, f"{session.cloud.login_url}/{path}") for _ in range(TRIES))
    answer = next((found for found in answers if isinstance(found, bytes)), None)
    if answer is None:
        raise UnreadError("The federation metadata of the application could not be read.", where=path, remedy="Run it again.")
    return answer


def _fetched(session: Session, url: str) -> bytes | Lost | int:
    try:
        with connect(session.cloud.login_url, session.cloud) as http:
            response = http.get(url)
    except (OSError, u3.HTTPError) as failure:
        return lost(failure)
    return response.content if response.status_code == 200 else response.status_code  # noqa: PLR2004  HTTP
