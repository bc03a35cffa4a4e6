"""What refusals mean, and what to do about them: one table for Microsoft Graph, one for sign-in.

Words of Graph: learn.microsoft.com graph/errors and graph/resolve-auth-errors, and bodies that were observed in public
issue threads (named where the page does not have them). Codes of sign-in: learn.microsoft.com
entra/identity-platform/reference-error-codes. Matching is by status, code or a piece of the message, first row wins.

Kinds: `refused`; `busy` (not carried out, send again later); `lag` (a replica may not know yet what was just written);
`exists` and `gone` (perhaps our own lost request: only a read can tell).
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Kind = Literal["refused", "busy", "lag", "exists", "gone"]


class Refusal(NamedTuple):
    """One way in which Graph says no. `sign`: a piece of code or message, "" for any; `status`: 0 for any."""

    status: int
    sign: str
    kind: Kind
    cause: str
    remedy: str


_AGAIN = "Run the runbook again later; it plans from what is live and goes on from there."
_PREFLIGHT = "Run 00-preflight: it lists the permissions of this sign-in and those that each runbook needs."
GRAPH: tuple[Refusal, ...] = (
    Refusal(429, "", "busy", "Graph is asked too much at the moment.", _AGAIN),
    Refusal(0, "Directory_ConcurrencyViolation", "busy", "Something else is writing to this tenant.", _AGAIN),
    Refusal(401, "", "refused", "The token was not accepted, not even a new one.", "Sign in again; check tenant and cloud."),
    Refusal(403, "Authorization_RequestDenied", "refused", "This sign-in lacks a permission or an Entra role.", _PREFLIGHT),
    Refusal(
        403, "Authentication_RequestFromNonPremiumTenant", "refused", "Logs of sign-ins need a tenant with Entra ID P1 or P2.",
        "Without it, last use is known from AWS only. A tenant that has the licence is refused now and then: run it again.",
    ),
    Refusal(
        0, "Directory_ResourceSizeExceeded", "refused", "The service principal holds as much as it can.",
        "Remove appRoles that nobody uses, or take a second application.",
    ),
    Refusal(
        0, "Directory_QuotaExceeded", "refused", "The quota of directory objects is used up.",
        "Delete objects, or ask an administrator for more quota.",
    ),
    Refusal(
        0, "exceeds the set maxValuesCount limit", "refused", "An application holds at most 700 appRoles and scopes, also disabled ones.",
        "Remove appRoles that nobody uses, or take a second application.",
    ),
    Refusal(
        0, "CannotDeleteOrUpdateEnabledEntitlement", "lag", "An appRole must read as disabled, at every replica, before it can go.",
        "Run the runbook again in some minutes.",
    ),
    Refusal(0, "Permission being assigned already exists", "exists", "The assignment is there already.", ""),
    Refusal(0, "EntitlementGrant entry already exists", "exists", "The assignment is there already.", ""),
    Refusal(0, "removed object references do not exist", "gone", "The reference is not there.", ""),
    Refusal(
        0, "on-premises mastered", "refused", "Active Directory keeps this object, and Entra ID only copies it.",
        "Change it in Active Directory, and let Entra Connect synchronize.",
    ),
    Refusal(
        0, "mail-enabled security groups", "refused", "Exchange keeps the members of this group, not Graph.",
        "Change them in the Exchange admin centre.",
    ),
    Refusal(0, "object references already exist", "exists", "The reference is there already.", ""),
    Refusal(0, "A conflicting object with one or more", "exists", "An object with the same unique name is there already.", ""),
    Refusal(0, "EntitlementGrant being updated or deleted is not found", "gone", "The assignment is not there.", ""),
    Refusal(
        0, "Permission being assigned was not found", "lag", "The application has no such enabled appRole, or not at every replica yet.",
        "Run 04-approles first, wait some minutes, and plan again.",
    ),
    Refusal(
        0, "Not a valid reference update", "lag", "The group or application is not there, or not at every replica yet.",
        "Run 05-groups first, wait some minutes, and plan again.",
    ),
    Refusal(
        0, "objects being referenced do not exist", "lag", "The group or member is not there, or not at every replica yet.",
        "Wait some minutes, and plan again.",
    ),
    Refusal(
        0, "NoBackingApplicationObject", "lag", "A replica knows the service principal and not its application yet.",
        "Wait some minutes, and plan again.",
    ),
    Refusal(
        0, "DuplicateValue", "refused", "Two appRoles or scopes of the application have the same value.",
        "Run 09-audit: it names them. Disable and remove one.",
    ),
    Refusal(
        0, "does not match the application object", "refused", "An inherited appRole is missing or changed in the request.",
        "Plan again from the live state; if it stays, compare application and service principal in the portal.",
    ),
    Refusal(
        0, "identifierUris already exists", "refused", "Another application has this identifier URI.",
        "Take the next one: https://signin.aws.amazon.com/saml#1, #2 and so on.",
    ),
    Refusal(
        0, "invalid values", "refused", "A value breaks a rule of the directory (length, a space, a character).",
        "Look at the body of the request in the plan.",
    ),
    Refusal(0, "Invalid page size", "refused", "A page holds 1 to 999 objects.", ""),
    Refusal(
        404, "", "lag", "The object is not there, or not at every replica yet.",
        "Check the id; an object that was just made needs some minutes.",
    ),
)  # fmt: skip
UNKNOWN = Refusal(0, "", "refused", "", "Microsoft's support can look the request id up.")


def explain(status: int, code: str, message: str) -> Refusal:
    """Return the row that fits an answer of Graph; UNKNOWN when none does."""
    text = f"{code} {message}".casefold()
    fits = (row for row in GRAPH if row.status in (0, status) and row.sign.casefold() in text)
    return next(fits, UNKNOWN)


class SignInRefusal(NamedTuple):
    """What an AADSTS code means."""

    cause: str
    remedy: str


_CREDENTIAL = "Upload the certificate to the app registration, or point AZURE_CLIENT_CERTIFICATE_PATH at the one that is there."
ENTRA: dict[str, SignInRefusal] = {
    "90002": SignInRefusal("There is no such tenant in this cloud.", "Check the parameters tenant_id and cloud."),
    "900023": SignInRefusal("The tenant id is neither a GUID nor a domain.", "Check the parameter tenant_id."),
    "90072": SignInRefusal("The person is of another tenant.", "Sign in with an account of this tenant."),
    "50020": SignInRefusal("The person is of another tenant.", "Sign in with an account of this tenant."),
    "700016": SignInRefusal(
        "The application is not in this tenant.", "Check client_id and tenant_id; a new app registration needs admin consent in the tenant."
    ),
    "700027": SignInRefusal("Entra does not know the certificate, or it has expired there.", _CREDENTIAL),
    "7000215": SignInRefusal("The client secret is wrong.", "Put the secret's value, not its id, into AZURE_CLIENT_SECRET."),
    "7000222": SignInRefusal("The client secret has expired.", "Better than a new secret: a certificate or a federated credential."),
    "7000218": SignInRefusal("The app registration allows no public client.", "Allow public client flows, under Authentication."),
    "7000229": SignInRefusal("The application has no service principal in this tenant.", "Give admin consent, which makes one."),
    "7000112": SignInRefusal("The application is disabled in this tenant.", "Enable it under Enterprise applications."),
    "65001": SignInRefusal("Nobody has consented to the permissions.", "Have an administrator consent, under API permissions."),
    "65004": SignInRefusal("The person declined the consent.", "Sign in again and consent, or have an administrator do it."),
    "50105": SignInRefusal("The person is not assigned to the application.", "Assign the person under Users and groups."),
    "50076": SignInRefusal("Multi-factor authentication is asked for.", "Take sign_in: device-code or interactive."),
    "50079": SignInRefusal("Multi-factor authentication must be set up.", "Sign in at the portal once and set it up."),
    "50034": SignInRefusal("There is no such person in this tenant.", "Check the user name and tenant_id."),
    "50126": SignInRefusal("User name or password is wrong.", "Sign in again."),
    "53003": SignInRefusal("Conditional Access blocks this sign-in.", "Ask its owner; the correlation id finds it in the sign-in log."),
    "530033": SignInRefusal("Conditional Access blocks the device-code flow.", "Take sign_in: interactive, or a certificate."),
    "50173": SignInRefusal("The session was revoked.", "Sign in again."),
    "700082": SignInRefusal("The session was not used for long and has ended.", "Sign in again."),
    "700024": SignInRefusal("The assertion is not within its time.", "Set the clock of this machine."),
    "70021": SignInRefusal(
        "No federated credential of the app registration fits the assertion.", "Compare issuer, subject and audience with the credential."
    ),
    "700211": SignInRefusal("No federated credential has this issuer.", "Compare the issuer with the credential."),
    "700212": SignInRefusal(
        "No federated credential has this audience.", "It is api://AzureADTokenExchange, with USGov or China behind it in those clouds."
    ),
    "700213": SignInRefusal("No federated credential has this subject.", "Compare the subject with the credential."),
    "70016": SignInRefusal("The code was not entered yet.", "Enter it in time."),
    "70020": SignInRefusal("The code was not entered in time.", "Run the cell again and enter the new code."),
    "70043": SignInRefusal("A sign-in frequency policy asks for a new sign-in.", "Sign in again."),
    "500011": SignInRefusal(
        "The API is not known to this tenant under this address.",
        "For Graph, check the parameter cloud. Azure Storage: `az ad sp create --id e406a681-f3d4-42a8-90b6-c2b029497af1`.",
    ),
    "900382": SignInRefusal("The tenant is of another cloud.", "Check the parameter cloud."),
    "900432": SignInRefusal("The tenant is of another cloud.", "Check the parameter cloud."),
}  # fmt: skip
AADSTS = re.compile(r"AADSTS(\d{5,7})")


def explain_sign_in(words: str) -> SignInRefusal:
    """Tell what the first AADSTS code in `words` means; empty when there is none or it is not in the table."""
    found = AADSTS.search(words)
    code = found[1] if found else ""
    return ENTRA.get(code, SignInRefusal("", f"Look up AADSTS{code} in Entra's error reference." if code else ""))
