"""What AWS would say to a SAML response, check by check, and whether it carries the roles that it should."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import pandas as pd

from awsfed_lib.core.certificate.campaign import Proof
from awsfed_lib.core.errors import DocumentError
from awsfed_lib.core.roles.pair import parse
from awsfed_lib.core.saml.saml_attributes import LONGEST_RESPONSE, ROLE, duration_problem, session_name_problem
from awsfed_lib.core.saml.saml_response import Response, open_response
from awsfed_lib.core.saml.sent_claims import lookalike
from awsfed_lib.core.saml.x509 import Certificate
from awsfed_lib.core.shapes import RESPONSE_CHECKS, RESPONSE_ROLES
from awsfed_lib.core.tables import frame

_SIGNING = "Set the signing option of the application to “Sign SAML assertion”, or to “Sign SAML response and assertion”."
PASSED, FAILED, UNCHECKED = "passed", "failed", "not checked"
Row = dict[str, str]


@dataclass(frozen=True)
class Expected:
    """What the response should say.

    `entity_id`: of the providers' metadata; `recipients` and `audiences`: sign_in_endpoints.py; `certificates`: those of
    the application; `signs`: thumbprints of what signs now (certificates.signing); `role_values`: appRole values that the user
    has; `user_name`: what RoleSessionName should be, "" when it does not matter; `roles_of`: the values by user name in lower
    case, where it is not known whose response it is.
    """

    entity_id: str
    recipients: tuple[str, ...]
    audiences: frozenset[str]
    certificates: tuple[Certificate, ...]
    signs: tuple[str, ...]
    role_values: tuple[str, ...] = ()
    user_name: str = ""
    roles_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def of(self, found: Response) -> Expected:
        """Say what is expected of this response, once its session name tells whose it is."""
        name = found.session_names[0].casefold() if len(found.session_names) == 1 else ""
        return self if self.role_values else replace(self, role_values=self.roles_of.get(name, ()))


@dataclass(frozen=True)
class Checked:
    """The result: rows of RESPONSE_CHECKS and RESPONSE_ROLES, and nothing of the assertion besides.

    `proof`: that the response was signed by a certificate of the application, for the rollover; None when it was not.
    It says what Entra ID signs with; that AWS took it is for the person to have seen.
    """

    rows: tuple[Row, ...] = field(repr=False)
    role_rows: tuple[Row, ...] = field(repr=False)
    proof: Proof | None

    @property
    def table(self) -> pd.DataFrame:
        """RESPONSE_CHECKS, in the order in which AWS looks."""
        return frame(RESPONSE_CHECKS, self.rows)

    @property
    def roles(self) -> pd.DataFrame:
        """RESPONSE_ROLES: roles seen against roles expected."""
        return frame(RESPONSE_ROLES, self.role_rows)

    @property
    def works(self) -> bool:
        """Whether nothing failed."""
        return not any(row["verdict"] == FAILED for row in self.rows)


def response(saml: str, expected: Expected, now: datetime) -> Checked:
    """Check the SAML response that a browser posted to AWS. It is good for minutes only, and nothing of it is kept.

    What cannot be opened is one failed check. The text must not be a parameter of a runbook: it signs its user in.
    """
    try:
        found = open_response(saml, expected.certificates)
    except DocumentError as error:
        return Checked((_row("readable", FAILED, error.reason, "a SAML response", error.remedy or error.what),), (), None)
    expected = expected.of(found)
    rows = (_row("readable", PASSED, "a SAML response", "a SAML response"), *_envelope(found), *_signature(found, expected))
    if found.status == "Success":
        rows += (*_addresses(found, expected), *_times(found, now), *_attributes(found, expected))
    signer = found.seal.certificate if found.seal.state == "valid" and found.seal.known else None
    proof = Proof(signer.thumbprint, found.issued) if signer and found.issued else None
    return Checked(rows, tuple(_roles(found, expected)), proof)


def _row(check: str, verdict: str, seen: str, expected: str, remedy: str = "") -> Row:
    return {"check": check, "verdict": verdict, "seen": seen, "expected": expected, "remedy": "" if verdict == PASSED else remedy}


def _judged(check: str, seen: str, expected: str, remedy: str) -> Row:
    return _row(check, PASSED if seen == expected else FAILED, seen, expected, remedy)


def _envelope(found: Response) -> Iterator[Row]:
    fits = PASSED if found.length <= LONGEST_RESPONSE else FAILED
    remedy = "Give the user fewer roles: every role value is in every response."
    yield _row("size", fits, f"{found.length} characters", f"at most {LONGEST_RESPONSE}", remedy)
    yield _judged(
        "status", found.status or "none", "Success", "Entra ID refused the sign-in; look it up in the sign-in log of the application."
    )


def _signature(found: Response, expected: Expected) -> Iterator[Row]:
    seal = found.seal
    remedies = {
        "missing": _SIGNING,
        "of the response only": f"AWS requires the signature of the assertion. {_SIGNING}",
        "sha1": "Set the signing algorithm of the application to SHA-256.",
        "invalid": "The response was changed on its way, or copied in part. Copy SAMLResponse whole, from the POST to AWS.",
    }
    yield _judged("signature", seal.state, "valid", remedies.get(seal.state, ""))
    shown = f"{seal.certificate.thumbprint[:8]}…" if seal.certificate else "none"
    wanted = ", ".join(f"{one[:8]}…" for one in expected.signs)
    fits = seal.certificate is not None and seal.certificate.thumbprint in expected.signs
    remedy = "AWS says “Response signature invalid” where a provider lacks this certificate: runbook 08-certificates."
    yield _row("certificate", PASSED if fits else FAILED, shown, wanted, remedy)


def _addresses(found: Response, expected: Expected) -> Iterator[Row]:
    remedy = "Providers made from the metadata of another tenant say “Issuer not present in specified provider”: runbook 02-accounts."
    yield _judged("issuer", found.issuer or "none", expected.entity_id, remedy)
    fits = bool(found.recipients) and all(url in expected.recipients for url in found.recipients)
    remedy = "Set the reply URL in runbook 01-application; SAML:aud of every trust policy is compared with it."
    yield _row("recipient", PASSED if fits else FAILED, ", ".join(found.recipients) or "none", ", ".join(expected.recipients), remedy)
    fits = bool(found.audiences) and all(text in expected.audiences for text in found.audiences)
    remedy = "Set the identifier in runbook 01-application: AWS says “Response does not contain the required audience”."
    yield _row(
        "audience", PASSED if fits else FAILED, ", ".join(found.audiences) or "none", " or ".join(sorted(expected.audiences)), remedy
    )


def _times(found: Response, now: datetime) -> Iterator[Row]:
    """Judge the days: that it has ended by now is no failure, since people copy it later; one from the future is a clock."""
    if found.issued is None or found.not_before is None or found.not_after is None:
        yield _row(
            "times", FAILED, "incomplete", "IssueInstant, NotBefore and NotOnOrAfter", "Entra ID always sends them; the text is not whole."
        )
        return
    seen = f"{found.not_before:%Y-%m-%d %H:%M:%S} to {found.not_after:%H:%M:%S} UTC"
    coherent = found.not_before <= found.issued < found.not_after
    verdict = PASSED if coherent and found.not_before <= now else FAILED
    ended = " (ended since)" if now >= found.not_after else ""
    yield _row("times", verdict, seen + ended, "begun, and issued in between", "Compare the clock of this machine with UTC.")


def _attributes(found: Response, expected: Expected) -> Iterator[Row]:
    remedy = "Plan the claims with runbook 01-application."
    yield _row("name id", PASSED if found.has_name_id else FAILED, "sent" if found.has_name_id else "not sent", "sent", remedy)
    names = ", ".join(found.session_names)
    problem = session_name_problem(names) if len(found.session_names) == 1 else "RoleSessionName must be sent once."
    other = expected.user_name and names != expected.user_name
    wanted = expected.user_name or "2 to 64 of letters, digits and _+=,.@-"
    yield _row("session name", FAILED if problem or other else PASSED, names or "none", wanted, problem or remedy)
    lengths = ", ".join(found.durations)
    problem = duration_problem(lengths) if found.durations else ""
    yield _row("session duration", FAILED if problem else PASSED, lengths or "none: one hour", "900 to 43200", problem)
    meant = lookalike(ROLE, found.attribute_names)
    remedy = f"The response has {meant}, and AWS reads {ROLE} only: {remedy}" if meant else "Assign a role: runbook 06-assignments."
    yield _row("roles", PASSED if found.role_values else FAILED, str(len(found.role_values)), "at least 1", remedy)
    unlike = [row["verdict"] for row in _roles(found, expected) if row["verdict"] != "as expected"]
    seen = ", ".join(f"{unlike.count(word)} {word}" for word in sorted(set(unlike))) or "the same"
    verdict = UNCHECKED if not expected.role_values else FAILED if unlike else PASSED
    yield _row("roles expected", verdict, seen, f"the same {len(set(expected.role_values))}", "See which, and audit with runbook 09-audit.")


def _roles(found: Response, expected: Expected) -> Iterator[Row]:
    """Roles of the response and of the access graph, each once; values are compared as AWS does, with their case."""
    for value in dict.fromkeys((*expected.role_values, *found.role_values)):
        pair = parse(value)
        verdict = (
            "missing"
            if value not in found.role_values
            else "as expected"
            if value in expected.role_values or not expected.role_values
            else "unexpected"
        )
        yield {
            "verdict": verdict if pair else "unreadable",
            "account_id": pair.account_id if pair else "",
            "role_arn": pair.role_arn if pair else "",
            "provider_arn": pair.provider_arn if pair else "",
            "value": value,
        }
