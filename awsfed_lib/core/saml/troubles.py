"""What the messages of AWS and Entra ID mean here, and which runbook helps.

Texts: docs.aws.amazon.com IAM/latest/UserGuide/troubleshoot_saml.html; learn.microsoft.com
entra/identity-platform/reference-error-codes. They change; what is looked for are their stable words.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import pandas as pd

from awsfed_lib.core.shapes import TROUBLES
from awsfed_lib.core.tables import frame


class _Trouble(NamedTuple):
    words: str  # all of them, in this order, whatever stands between
    service: str
    cause: str
    remedy: str


CURLY = "\u2019"  # what a console makes of an apostrophe
_AWS, _ENTRA = "AWS", "Entra ID"
_CLAIMS = "Plan the claims with runbook 01-application."
_TRUST = "Plan the roles with runbook 02-accounts."
_LIST = (
    _Trouble(
        "invalid SAML response", _AWS, "The response carries no Role: nobody assigned a role, or the claim is named otherwise.", _CLAIMS
    ),
    _Trouble("RoleSessionName is required", _AWS, "The claim RoleSessionName is not sent.", _CLAIMS),
    _Trouble(
        "RoleSessionName must match",
        _AWS,
        "The user name has a character or length that AWS refuses, such as a guest's #EXT#.",
        "Take another attribute as RoleSessionName in runbook 01-application.",
    ),
    _Trouble("Source Identity must match", _AWS, "The claim SourceIdentity has a character or length that AWS refuses.", _CLAIMS),
    _Trouble(
        "Not authorized to perform sts:AssumeRoleWithSAML",
        _AWS,
        "The role does not exist under this name (case counts), or its trust policy does not let this provider, reply URL or tag in.",
        _TRUST,
    ),
    _Trouble(
        "Not authorized to perform sts:TagSession",
        _AWS,
        "Tags are sent, and the trust policy does not allow sts:TagSession.",
        _TRUST,
    ),
    _Trouble(
        "Response signature invalid",
        _AWS,
        "The provider lacks the certificate that Entra ID signs with: a rollover missed this account.",
        "See runbook 08-certificates; it says which accounts would be locked out.",
    ),
    _Trouble(
        "Issuer not present in specified provider",
        _AWS,
        "The provider was made from the metadata of another tenant, or the issuer changed.",
        "Compare with runbook 02-accounts; includeApplicationIdInIssuer of the claims policy changes the issuer.",
    ),
    _Trouble("Specified provider doesn't exist", _AWS, "The appRole value names a provider that the account does not have.", _TRUST),
    _Trouble(
        "Could not parse metadata",
        _AWS,
        "The document is no UTF-8 metadata without byte order mark.",
        "Take the one that runbook 02-accounts uploads.",
    ),
    _Trouble(
        "Unable to parse metadata",
        _AWS,
        "A certificate of the document has a small key, or an extension twice.",
        "Take the one that runbook 02-accounts uploads.",
    ),
    _Trouble(
        "required audience",
        _AWS,
        "The identifier of the application is not what AWS expects in front of its #.",
        "Set it with runbook 01-application.",
    ),
    _Trouble(
        "DurationSeconds exceeds MaxSessionDuration",
        _AWS,
        "A tool asked for a longer session than the role allows.",
        "Raise max_session in runbook 02-accounts, or lower session_duration in runbook 01-application.",
    ),
    _Trouble(
        "redeemed within 5 minutes", _AWS, "The response was too old, or a clock is wrong.", "Sign in again; compare clocks with UTC."
    ),
    _Trouble(
        "length less than or equal to 100000",
        _AWS,
        "The response is too long: the user has too many roles.",
        "Give fewer roles; runbook 09-audit counts them.",
    ),
    _Trouble("PackedPolicyTooLarge", _AWS, "The session tags are too long together.", _CLAIMS),
    _Trouble(
        "RegionDisabled",
        _AWS,
        "The sign-in endpoint belongs to a region that the account has not enabled.",
        "Use another endpoint: runbook 01-application.",
    ),
    _Trouble(
        "AADSTS50105",
        _ENTRA,
        "The user has no role of this application: no group, or only through a nested group.",
        "Assign a group with direct members: runbooks 05-groups and 06-assignments.",
    ),
    _Trouble(
        "AADSTS50011", _ENTRA, "The reply URL that was asked for is none of the application's.", "Set it with runbook 01-application."
    ),
    _Trouble(
        "AADSTS700016",
        _ENTRA,
        "No application of this tenant has the identifier that was asked for.",
        "Set it with runbook 01-application.",
    ),
    _Trouble("AADSTS7000112", _ENTRA, "The application is disabled.", "Enable it in the portal, after asking who disabled it and why."),
    _Trouble("AADSTS53003", _ENTRA, "A Conditional Access policy refused the sign-in.", "See the sign-in log, tab Conditional Access."),
    _Trouble("AADSTS50057", _ENTRA, "The user's account is disabled.", "Nothing to do here."),
    _Trouble(
        "AADSTS75011",
        _ENTRA,
        "The way the user signed in is not the one that the request asks for.",
        "Start from My Apps, which asks for none.",
    ),
    _Trouble(
        "AADSTS750054",
        _ENTRA,
        "The sign-in was begun at a reply URL without a SAML request.",
        "Start from My Apps, and leave the sign-on URL empty.",
    ),
)


def table() -> pd.DataFrame:
    """List all that is known, as TROUBLES."""
    return frame(TROUBLES, [_row(trouble) for trouble in _LIST])


def explain(message: str) -> pd.DataFrame:
    """Find what a message of AWS or Entra ID means: TROUBLES, empty when it is none of the known ones."""
    return frame(TROUBLES, [_row(trouble) for trouble in _LIST if _is_in(trouble.words, message)])


def _row(trouble: _Trouble) -> dict[str, str]:
    return {"text": trouble.words, "service": trouble.service, "cause": trouble.cause, "remedy": trouble.remedy}


def _is_in(words: str, message: str) -> bool:
    """All words in order; between them whatever the service writes today."""
    pattern = r"(?<!\w)" + r"\b.{0,60}?\b".join(re.escape(word) for word in words.split()) + r"(?!\w)"
    return bool(re.search(pattern, message.replace(CURLY, "'")[:20_000], re.IGNORECASE | re.DOTALL))
