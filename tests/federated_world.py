"""A model of one application and its accounts: who can sign in at any moment, and a service with faults for each side.

It knows nothing of the campaign; it only does what Graph and IAM do with a request, and answers the sign-in oracle.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from fake_service import Stop
from saml_made import ENTITY, NOW, TENANT, certificate, credentials, document

from awsfed_lib.core import facts
from awsfed_lib.core.apply import Patience
from awsfed_lib.core.certificate import certificates, distribution
from awsfed_lib.core.certificate.campaign import Live, Proof
from awsfed_lib.core.certificate.distribution import Holder
from awsfed_lib.core.change import Request, Subject
from awsfed_lib.core.outcome import Answer
from awsfed_lib.core.saml import metadata
from awsfed_lib.core.saml.x509 import Certificate
from awsfed_lib.core.shapes import DOCUMENTS
from awsfed_lib.core.tables import frame

APPLICATION = Subject("servicePrincipal", "sp-1", "AWS", TENANT)
ORGANIZATION = Subject("organization", "o-1", "Contoso", "o-1/aws")
OLD = certificate("CN=AWS 2024", NOW - timedelta(days=800), 1095)
OTHERS = [certificate(f"CN=other {number}", NOW - timedelta(days=300), 2000, serial=50 + number) for number in range(3)]


@cache
def holder(account_id: str, text: str, stack: str, problem: str) -> Holder:
    """Read one row of DOCUMENTS; remembered, since a property test looks at the same few documents thousands of times."""
    row = {
        "account_id": account_id, "account_name": f"name {account_id[-2:]}", "provider_arn": arn(account_id),
        "document": text, "stack": stack, "problem": problem,
    }  # fmt: skip
    return distribution.read(frame(DOCUMENTS, [row]))[0]


@cache
def fingerprint(text: str) -> str:
    return metadata.fingerprint_of(text)


def arn(account_id: str) -> str:
    return f"arn:aws:iam::{account_id}:saml-provider/WAAD"


class World:
    """What is true. `held`: account id → certificates that its provider accepts; `stacks`: who owns a provider."""

    def __init__(self, held: dict[str, list[Certificate]], certs: Sequence[Certificate] = (OLD,), active: Certificate | None = OLD) -> None:
        self.now = NOW
        self.certs, self.names = list(certs), [one.subject for one in certs]
        self.active = active
        self.documents = {account: document(*keys) for account, keys in held.items()}
        self.unreadable: set[str] = set()
        self.stacks: dict[str, str] = {}
        self.proofs: list[Proof] = []
        self.lasting = timedelta(days=1095)

    @property
    def entry(self) -> dict[str, Any]:
        return credentials(*self.certs, active=self.active, names=self.names)

    def may_sign(self) -> list[Certificate]:
        """Entra's law, written a second time: the active one unless expired, else any valid other, else the expired one."""
        if self.active and self.now <= self.active.not_after:
            return [self.active]
        valid = [one for one in self.certs if one.valid(self.now)]
        return valid or ([self.active] if self.active else [])

    def can_sign_in(self, account: str) -> bool:
        keys = self.held(account)
        return bool(self.may_sign()) and all(one.thumbprint in keys for one in self.may_sign())

    def held(self, account: str) -> set[str]:
        return set(holder(account, self.documents[account], "", "").thumbprints)

    def live(self) -> Live:
        holders = tuple(
            holder(account, *(("", stack, "AccessDenied") if account in self.unreadable else (text, stack, "")))
            for account, text in sorted(self.documents.items())
            for stack in (self.stacks.get(account, ""),)
        )
        own = metadata.parse(document(*self.may_sign())) if self.certs else None
        return Live(APPLICATION, ORGANIZATION, self.entry, holders, own, tuple(self.proofs))

    def prove(self) -> None:
        self.proofs.append(Proof(self.may_sign()[0].thumbprint, self.now))

    def carry_out(self, request: Request) -> Answer:
        body = request.content
        if request.method == "iam:UpdateSAMLProvider":
            account = request.path.split("/")[0]
            if account in self.unreadable:
                return Answer("refused", 403, "AccessDenied")
            self.documents[account] = metadata.parse(body["SAMLMetadataDocument"]).document
        elif request.path.endswith("/addTokenSigningCertificate"):
            self.certs.append(
                certificate(body["displayName"], self.now.replace(microsecond=0), self.lasting.days, serial=900 + len(self.certs))
            )
            self.names.append(body["displayName"])
        elif "preferredTokenSigningKeyThumbprint" in body:
            self.active = next(one for one in self.certs if one.thumbprint == body["preferredTokenSigningKeyThumbprint"])
        else:
            stay = {entry["keyId"] for entry in body["keyCredentials"]}
            left = [(one, name) for one, name in zip(self.certs, self.names, strict=True) if f"verify-{one.thumbprint[:8]}" in stay]
            assert {entry["keyId"] for entry in body["passwordCredentials"]} == {key for key in stay if key.startswith("sign-")}
            self.certs, self.names = [one for one, _ in left], [name for _, name in left]
        return Answer("done", 200)


class Side:
    """apply.Service of one side of the world. `faults` by number of the request; `after_each` runs after every request."""

    patience = Patience(2, (1.0, 1.0, 1.0))

    def __init__(self, world: World, realm: str, after_each: Any = None) -> None:
        self.world, self.realm = world, realm
        self.faults: dict[int, str] = {}
        self.after_each = after_each or (lambda: None)
        self.sent: list[Request] = []

    def live(self, table: str, of: str) -> tuple[str, ...]:
        if table == "saml_providers":
            return (facts.saml_provider(of, fingerprint(self.world.documents[of.split(":")[4]])),)
        if table == "credentials":
            return certificates.credential_facts(self.world.entry)
        listed = certificates.read(self.world.entry)
        return certificates.name_facts(listed) if table == "certificate_names" else certificates.certificate_facts(listed)

    def snapshot(self, table: str, of: str) -> bytes:
        return json.dumps(self.live(table, of)).encode()

    def send(self, requests: Sequence[Request]) -> list[Answer]:
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Answer:
        fault = self.faults.pop(len(self.sent), "")
        self.sent.append(request)
        if fault == "die before":
            raise Stop
        if fault == "refused":
            return Answer("refused", 409, "ConcurrentModification")
        if fault == "unsent":
            return Answer("unknown", 0, "no answer")
        answer = self.world.carry_out(request)
        self.after_each()
        if fault == "die after":
            raise Stop
        return Answer("unknown", 0, "no answer") if fault == "lost" else answer

    @contextmanager
    def permit(self, requests: Sequence[Request]) -> Iterator[None]:
        assert all(re.fullmatch(r"(POST|PATCH|iam:UpdateSAMLProvider)", request.method) for request in requests)
        yield

    def wait(self, seconds: float) -> None:
        pass


__all__ = ["APPLICATION", "ENTITY", "NOW", "OLD", "ORGANIZATION", "OTHERS", "Side", "World", "arn", "datetime"]
