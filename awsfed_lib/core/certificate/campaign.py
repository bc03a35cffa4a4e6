"""A certificate rollover as a desired state, and what is known about it: shared by the stages, deciding nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, NamedTuple

from awsfed_lib.core.certificate import certificates
from awsfed_lib.core.certificate.certificates import SigningCertificate
from awsfed_lib.core.certificate.distribution import Holder
from awsfed_lib.core.change import Subject
from awsfed_lib.core.errors import DocumentError, ParameterError
from awsfed_lib.core.saml.metadata import Metadata
from awsfed_lib.core.saml.x509 import Certificate
from awsfed_lib.core.tables import ACCOUNT_ID

CLOUDS_THAT_MAKE = ("global", "sandbox")  # addTokenSigningCertificate exists in no other cloud (graph/api, its table)


@dataclass(frozen=True)
class Campaign:
    """The desired state, from the parameter file.

    `certificate`: name of the certificate to sign with, "CN=…"; a new name starts a campaign. `thumbprint`: names it
    exactly, where the portal made it and several have one name; "" takes the name. `canary`: account ids that go first;
    none takes one that can be written and in which people sign in now. `excluded`: account ids that nothing waits for
    and nothing is sent to, each with its reason. `wave`: accounts a wave. `soak`: seconds between the proof of a sign-in
    and the end of the old certificate. `window`: seconds that a campaign needs; no certificate is made when the active
    one ends sooner. `mode`: "emergency" makes one nevertheless, goes to all accounts at once, and may replace metadata
    whose keys have all expired.
    """

    certificate: str
    thumbprint: str = ""
    canary: tuple[str, ...] = ()
    excluded: Mapping[str, str] = field(default_factory=dict)
    wave: int = 50
    soak: int = 7 * 86_400
    window: int = 14 * 86_400
    mode: Literal["planned", "emergency"] = "planned"
    ends: str = ""

    def __post_init__(self) -> None:
        wrong = [one for one in (*self.canary, *self.excluded) if not ACCOUNT_ID.fullmatch(one)]
        if not self.certificate.startswith("CN=") or len(self.certificate) < len("CN=x"):
            words = f'The name of a signing certificate must start with "CN=": {self.certificate!r} does not.'
            raise ParameterError(words, remedy="Set certificate in the parameter file; a new name starts a rollover.")
        if wrong:
            raise ParameterError(f"{wrong[0]!r} is no account id of 12 digits.", remedy="Put account ids into quotes.")
        if set(self.canary) & set(self.excluded):
            raise ParameterError("An account cannot be canary and excluded.")
        if self.wave < 1 or self.soak < 0 or self.window < 0:
            raise ParameterError("wave must be at least 1, soak and window at least 0.")


class Proof(NamedTuple):
    """A sign-in that AWS took, and the thumbprint that its response was signed by (runbook 07-signin)."""

    thumbprint: str
    at: datetime


@dataclass(frozen=True)
class Live:
    """What was read. `metadata`: the application's own (`?appid=`), None when the application has no certificate yet."""

    application: Subject
    organization: Subject
    service_principal: Mapping[str, Any]
    holders: tuple[Holder, ...]
    metadata: Metadata | None
    proofs: tuple[Proof, ...] = ()
    cloud: str = "global"


@dataclass(frozen=True)
class View:
    """Live state and campaign together, with what follows from both. Shared by the stages; nothing here decides."""

    live: Live
    campaign: Campaign
    now: datetime

    @cached_property
    def certificates(self) -> tuple[SigningCertificate, ...]:
        """All signing certificates of the application."""
        return certificates.read(self.live.service_principal)

    @cached_property
    def new(self) -> SigningCertificate | None:
        """The certificate with the campaign's thumbprint, or its name: the active one among several, else the one that ends last."""
        wanted = self.campaign.thumbprint
        named = [one for one in self.certificates if (one.thumbprint == wanted if wanted else one.name == self.campaign.certificate)]
        return max(named, key=lambda one: (one.is_active, one.not_after, one.thumbprint), default=None)

    @cached_property
    def signs(self) -> tuple[SigningCertificate, ...]:
        """What may sign now."""
        return certificates.signing(self.certificates, self.now)

    @property
    def old(self) -> tuple[SigningCertificate, ...]:
        """What the new certificate replaces: inactive, and not made after it."""
        new = self.new
        return tuple(one for one in self.certificates if new and one != new and not one.is_active and one.not_before <= new.not_before)

    @cached_property
    def included(self) -> tuple[Holder, ...]:
        """Providers that count: of accounts that are not excluded by name, and that have one or could not be read."""
        listed = (holder for holder in self.live.holders if holder.account_id not in self.campaign.excluded)
        return tuple(holder for holder in listed if holder.provider_arn or holder.problem)

    @property
    def unknown(self) -> tuple[Holder, ...]:
        """Included accounts that could not be read, and providers that appRoles name and that were not seen."""
        return tuple(holder for holder in self.included if holder.problem)

    @cached_property
    def canary(self) -> frozenset[str]:
        """Account ids that go first: those named, else the first that can be written and in which people sign in now."""
        able = [holder for holder in self.included if not (holder.problem or holder.stack or holder.other)]
        signs = {one.thumbprint for one in self.signs}
        best = [holder for holder in able if signs <= holder.thumbprints] or able
        return frozenset(self.campaign.canary or [holder.account_id for holder in best][:1])

    @property
    def needed(self) -> tuple[SigningCertificate, ...]:
        """What every account must accept before the new certificate may be activated."""
        return tuple(dict.fromkeys([*self.signs, *([self.new] if self.new else [])]))

    def public(self, one: SigningCertificate) -> Certificate:
        """Return the public part of a certificate, from Graph or from the metadata; raises DocumentError when nobody tells it."""
        known = self.live.metadata.certificates if self.live.metadata else ()
        found = one.certificate or next((other for other in known if other.thumbprint == one.thumbprint), None)
        if found is None:
            raise DocumentError(f"Neither Graph nor the metadata tells the public part of {one.name}.", reason="certificate-unknown")
        return found
