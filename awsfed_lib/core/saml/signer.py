"""The application as it signs in: what it signs with, where its responses go, and what they ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import pandas as pd

from awsfed_lib.core.certificate import certificates
from awsfed_lib.core.certificate.certificates import SigningCertificate
from awsfed_lib.core.review.evidence import Evidence
from awsfed_lib.core.review.links import BROKEN, CONDITIONAL, UNKNOWN, Keys, Link
from awsfed_lib.core.roles.sign_in_endpoints import audiences, is_endpoint
from awsfed_lib.core.roles.trust import SIGN_IN_HOSTS
from awsfed_lib.core.saml.metadata import Metadata
from awsfed_lib.core.saml.response_checks import Expected
from awsfed_lib.core.saml.sent_claims import SentClaims
from awsfed_lib.core.saml.x509 import Certificate

_AUDIENCES = frozenset(text for partition in SIGN_IN_HOSTS for text in audiences(partition))


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
    def default_recipient(self) -> tuple[str, ...]:
        """Its first reply URL, whatever that is: a response from My Apps goes there, and SAML:aud is compared with it. () for none."""
        return tuple((self.service_principal.get("replyUrls") or ())[:1])

    @property
    def attributes(self) -> tuple[str, ...]:
        """Properties of users in Graph that its claims name."""
        return SentClaims(self.claims).attributes

    @property
    def everybody(self) -> tuple[Link, ...]:
        """The links of the application that do not hold, or are not known, whoever signs in."""
        return tuple(link for link in (*self._application(), *self._claims()) if link)

    def _application(self) -> Iterator[Link]:
        found, remedy = self.service_principal, "Set it with 01-application."
        if found.get("accountEnabled") is False:
            words = "Users cannot sign in to the application: it is disabled (AADSTS7000112)."
            yield Link("application", BROKEN, words, "Enable it in the portal, after asking who disabled it and why.")
        mode = found.get("preferredSingleSignOnMode")
        if not mode:
            yield Link("application", UNKNOWN, "How the application signs people in is not set, or was not shown.", remedy)
        elif mode != "saml":
            yield Link("application", BROKEN, f"The application does not sign in by SAML; its mode is {mode}.", remedy)
        if not self.default_recipient:
            yield Link("reply URL", BROKEN, "The application has no reply URL: Entra ID sends no response (AADSTS500113).", remedy)
        elif not is_endpoint(self.default_recipient[0]):
            words = (
                f"The browser posts the response to {self.default_recipient[0]}, which is no sign-in endpoint of AWS: only a tool signs in."
            )
            yield Link("reply URL", CONDITIONAL, words, f"Make an endpoint of AWS the first reply URL. {remedy}")
        if found.get("tokenEncryptionKeyId"):
            words = "Entra ID encrypts the assertions (tokenEncryptionKeyId); whether each provider holds the private key is not known."
            yield Link("encryption", UNKNOWN, words, "Compare the key ids with the PrivateKeyList of every provider.")
        names = [str(name).partition("#")[0] for name in found.get("servicePrincipalNames") or () if name != found.get("appId")]
        if not names or names[0] not in _AUDIENCES:
            words = (
                f"The audience is {names[0] if names else 'not set'}. AWS documents that it must be AWS, and has been seen to take others."
            )
            yield Link("identifier", UNKNOWN, words, remedy)

    def _claims(self) -> Iterator[Link]:
        if self.claims_problem:
            yield Link(
                "claims", UNKNOWN, self.claims_problem, "Grant this sign-in the permission: 00-preflight. It needs the claims in effect."
            )

    @property
    def _assignment_required(self) -> bool:
        return self.service_principal.get("appRoleAssignmentRequired") is True

    def keys(self, accounts: pd.DataFrame, providers: pd.DataFrame) -> Keys:
        """Put it beside ACCOUNTS and PROVIDERS of one reading."""
        entity_id = self.metadata.entity_id if self.metadata else ""
        return Keys(accounts, providers, self.signs, entity_id, self.claims, self.everybody, self._assignment_required)

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
