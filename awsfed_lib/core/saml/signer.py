"""The application as it signs in: what it signs with, where its responses go, and what they ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import pandas as pd

from awsfed_lib.core.certificate import certificates
from awsfed_lib.core.certificate.certificates import SigningCertificate
from awsfed_lib.core.review.evidence import Evidence
from awsfed_lib.core.roles.sign_in_endpoints import audiences, is_endpoint
from awsfed_lib.core.saml.metadata import Metadata
from awsfed_lib.core.saml.response_checks import Expected
from awsfed_lib.core.saml.saml_attributes import SESSION_DURATION, SESSION_NAME
from awsfed_lib.core.saml.signin import Keys
from awsfed_lib.core.saml.x509 import Certificate
from awsfed_lib.core.tables import rows

ONE_HOUR = 3600  # what AWS takes when no SessionDuration is sent (IAM id_roles_providers_create_saml_assertions)


@dataclass(frozen=True, eq=False)
class Signer:
    """What was read of the application. `metadata`: its own (`?appid=`), None when it has no certificate; `claims`: CLAIMS in effect.

    `claims_problem`: why these are not known for sure, "" when they are.
    """

    service_principal: Mapping[str, Any]
    metadata: Metadata | None
    claims: pd.DataFrame
    now: datetime
    claims_problem: str = ""

    @cached_property
    def certificates(self) -> tuple[SigningCertificate, ...]:
        """Its signing certificates, oldest first."""
        return certificates.read(self.service_principal)

    @property
    def table(self) -> pd.DataFrame:
        """CERTIFICATES, with which one signs."""
        return certificates.timeline(self.certificates, self.now)

    @property
    def known_claims(self) -> pd.DataFrame | None:
        """CLAIMS in effect, None when they are not known for sure."""
        return None if self.claims_problem else self.claims

    @property
    def signs(self) -> tuple[str, ...]:
        """Thumbprints of what may sign now; where Graph tells none, all that the metadata lists."""
        signing = certificates.signing(self.certificates, self.now)
        told = tuple(one.thumbprint for one in signing if one.thumbprint)
        listed = self.metadata.thumbprints if self.metadata and signing else ()
        return told or tuple(sorted(listed))

    @property
    def public(self) -> tuple[Certificate, ...]:
        """Public parts of all certificates that may have signed a response."""
        own = (one.certificate for one in self.certificates if one.certificate)
        return tuple(dict.fromkeys((*own, *(self.metadata.certificates if self.metadata else ()))))

    @property
    def recipients(self) -> tuple[str, ...]:
        """Its reply URLs that are sign-in endpoints of AWS, the default first; a response from My Apps goes to the default."""
        return tuple(url for url in self.service_principal.get("replyUrls") or () if is_endpoint(url))

    @property
    def session_duration(self) -> int:
        """Seconds that its responses ask for; one hour where that depends on the user, or nothing is sent."""
        said = [row["value"] for row in rows(self.claims) if row["claim"] == SESSION_DURATION and row["source"] == "constant"]
        return int(said[0]) if said and re.fullmatch("[0-9]{1,6}", said[0]) else ONE_HOUR

    @property
    def problem(self) -> str:
        """Why nobody at all can sign in; "" when the application lets people in."""
        found = self.service_principal
        if found.get("accountEnabled") is False:
            return "Users cannot sign in to the application: it is disabled (AADSTS7000112)."
        mode = found.get("preferredSingleSignOnMode")
        if mode != "saml":
            return f"The application does not sign in by SAML; its mode is {mode or 'not set'}."
        return "" if self.recipients else "The application has no reply URL that is a sign-in endpoint of AWS."

    def keys(self, accounts: pd.DataFrame, providers: pd.DataFrame) -> Keys:
        """Put it beside ACCOUNTS and PROVIDERS of one reading."""
        entity_id = self.metadata.entity_id if self.metadata else ""
        named = [row["attribute"].lower() for row in rows(self.claims) if row["claim"] == SESSION_NAME and row["source"] == "user"]
        return Keys(
            accounts, providers, self.signs, entity_id, self.session_duration, self.problem, sends_user_name=named == ["userprincipalname"]
        )

    def expected(self, evidence: Evidence, partition: str) -> Expected:
        """Say what a response of it should hold, for whichever user it turns out to be of."""
        entity_id = self.metadata.entity_id if self.metadata else ""
        allowed = audiences(partition)
        return Expected(entity_id, self.recipients, allowed, self.public, self.signs, roles_of=roles_of(evidence))


def roles_of(evidence: Evidence) -> dict[str, tuple[str, ...]]:
    """List the appRole values that Entra ID emits, by user name in lower case: of direct members, and of users assigned themselves.

    Users who are assigned directly and are in no assigned group are missing: an assignment does not tell their user name.
    """
    names = {member_id: row["user_name"] for member_id, row in evidence.people.items() if row["user_name"]}
    found: dict[str, set[str]] = {name.casefold(): set() for name in names.values()}
    for app_role_id, listed in evidence.assigned.items():
        value = str((evidence.app_role_rows.get(app_role_id) or {}).get("value") or "")
        members = [member for row in listed for member in (row["principal_id"], *_direct(evidence, row))]
        for name in (names[member].casefold() for member in members if value and member in names):
            found[name].add(value)
    return {name: tuple(sorted(values)) for name, values in found.items()}


def _direct(evidence: Evidence, assignment: Mapping[str, Any]) -> list[str]:
    if assignment["principal_type"] != "Group":
        return []
    return [member["member_id"] for member in evidence.members_of.get(assignment["principal_id"], [])]
