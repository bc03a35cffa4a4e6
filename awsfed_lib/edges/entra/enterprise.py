"""The enterprise application as runbook 01-application sees it: read from Graph, and what core/saml/enterprise.py makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from awsfed_lib.core.certificate.certificate_recipe import recipe
from awsfed_lib.core.errors import GraphError, ParameterError
from awsfed_lib.core.saml import gallery
from awsfed_lib.core.saml.application import Settings
from awsfed_lib.core.saml.claims import Claims, People, emitted, simulate
from awsfed_lib.core.saml.enterprise import Desired, Enterprise, Live, claims_in_effect, describe, files, lint, note, plan
from awsfed_lib.core.saml.gallery import TEMPLATES, Wanted
from awsfed_lib.core.saml.metadata import Metadata, parse
from awsfed_lib.edges.entra import live_tables, objects, pages, saml_reads
from awsfed_lib.edges.entra.auth import Session
from awsfed_lib.edges.entra.graph import Graph
from awsfed_lib.edges.entra.live_tables import Reader

NOT_FOUND = 404
PERSON = (
    "id",
    "displayName",
    "userPrincipalName",
    "mail",
    "mailNickname",
    "employeeId",
    "givenName",
    "surname",
    "onPremisesSamAccountName",
)


def read(graph: Graph, session: Session, *, application_id: str, name: str, policy: str) -> Live:
    """Read the enterprise application with this object id; without one, the one that is called `name` or was made under that name.

    `policy`: name of the claims mapping policy that it shall have, "" for none. Raises ParameterError when there is neither,
    when several could be it, or when this cloud has no template for it.
    """
    wanted = None if application_id else Wanted(name, template(graph))
    listed = tuple(saml_reads.instances(graph, name=wanted.display_name, tag=wanted.tag)) if wanted else ()
    here = gallery.found(wanted, listed) if wanted else {"id": application_id}
    found = None if here is None else _patiently(graph, str(here["id"]), policy, graph.patience.pauses if wanted else ())
    return Live(graph.tenant(), session.cloud.laws, session.cloud.graph_url, wanted, listed, found)


def _patiently(graph: Graph, of: str, policy: str, pauses: Sequence[float]) -> Enterprise:
    """Read an application; one that a list has shown gets time, until every replica knows it."""
    for seconds in pauses:
        try:
            return _whole(graph, of, policy)
        except GraphError as refusal:
            if refusal.status != NOT_FOUND:
                raise
        graph.wait(seconds)
    return _whole(graph, of, policy)


def _whole(graph: Graph, of: str, policy: str) -> Enterprise:
    halves, claims = saml_reads.settings(graph, of), saml_reads.policies(graph, of, name=policy)
    portal, problem = portal_claims(graph, of)
    return Enterprise(graph.application(of), halves, claims, saml_reads.signing_certificates(graph, of), portal, problem)


def template(graph: Reader) -> str:
    """Look up the template of the application in the gallery of this cloud; ids are others in each (graph/api/applicationtemplate-list)."""
    for name in TEMPLATES:
        found = graph.read(f"/applicationTemplates?$filter=displayName%20eq%20{pages.quoted(name)}")
        if len(found) == 1:
            return objects.need(found[0], "id", "A template")
    raise ParameterError(
        f"The gallery of this cloud has no single template called {' or '.join(TEMPLATES)}.",
        remedy="Add the application in the portal, and set application_id to its Object ID.",
    )


def portal_claims(graph: Reader, service_principal: str) -> tuple[Mapping[str, Any] | None, str]:
    """Read what the portal's Attributes & Claims wrote, None for nothing; and why it could not be read, "" when it was.

    Only the beta version of Graph has it (graph/api/resources/customclaimspolicy), and not in every cloud.
    """
    try:
        return graph.one(f"/beta/servicePrincipals/{live_tables.guid(service_principal)}/claimsPolicy") or None, ""
    except GraphError as refusal:
        return None, "" if refusal.status == NOT_FOUND else refusal.what


def people(graph: Graph, application: Live, user_name: str) -> People:
    """Read who may sign in to the application, and what its Role claim would hold for the user called `user_name`, "" for nobody."""
    user = person(graph, user_name) if user_name else {}
    if application.found is None:
        return People(objects.members([]), user, ())
    of = application.found.subject.id
    assigned = graph.assignments(of)
    _, members = graph.membership(assigned.loc[assigned.principal_type == "Group", "principal_id"])
    return People(members, user, emitted(user.get("id", ""), graph.app_roles(of), assigned, members) if user else ())


def person(graph: Reader, user_name: str) -> dict[str, str]:
    """Read the attributes of a user that claims name, as text by name; those that the user has not are left out."""
    wire = graph.one(f"/users/{quote(user_name, safe='@')}?$select={','.join(PERSON)}")
    return {key: str(value) for key, value in wire.items() if key in PERSON and value}


def own_metadata(session: Session, application: Live) -> Metadata | None:
    """Read and parse the metadata of the application; None while it has no certificate, and so none. Raises DocumentError as `parse`."""
    found = application.found
    if found is None or not found.certificates:
        return None
    return parse(saml_reads.metadata(session, objects.need(found.halves.service_principal, "appId", "The service principal")))


__all__ = [
    "Claims", "Desired", "Settings", "claims_in_effect", "describe", "files", "lint", "note", "own_metadata", "people", "plan", "read",
    "recipe", "simulate",
]  # fmt: skip
