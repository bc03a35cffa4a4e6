"""Does every account trust what Entra ID signs with now, and for how long still? CERTIFICATES and PROVIDERS in, findings out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from awsfed_lib.core.finding import finding
from awsfed_lib.core.tables import FINDINGS, frame, rows

SOON, NOW = timedelta(days=60), timedelta(days=14)
ROLL_OVER = "Roll over to a new certificate in all accounts: 08-certificates."
Row = Mapping[str, Any]


def findings(certificates: pd.DataFrame, providers: pd.DataFrame, *, provider: str, now: datetime) -> pd.DataFrame:
    """Check the signing certificate and the copies of it in the accounts: FINDINGS.

    `providers`: PROVIDERS of the accounts that were read; `provider`: the name of those that count, "" for all.
    """
    signing = [row for row in rows(certificates) if row["status"] == "signs"]
    held = [row for row in rows(providers) if provider in ("", row["provider_name"])]
    return frame(FINDINGS, [*_of_application(signing, now), *_of_accounts(held, {row["thumbprint"] for row in signing} - {""})])


def _of_application(signing: Sequence[Row], now: datetime) -> Iterator[dict[str, str]]:
    if not signing:
        told = {"cause": "no valid certificate signs: nobody can sign in", "remedy": "Make one: 01-application, or 08-certificates."}
        yield finding("critical", "no signing certificate", "application", **told)
    for row in signing:
        left = row["not_after"] - now
        if left < SOON:
            severity = "critical" if left < timedelta(0) else "high" if left < NOW else "medium"
            cause = f"the certificate that signs ends on {row['not_after']:%Y-%m-%d}, in {left.days} days"
            yield finding(severity, "signing certificate ends", row["thumbprint"] or row["name"], cause=cause, remedy=ROLL_OVER)


def _of_accounts(held: Sequence[Row], signs: Collection[str]) -> Iterator[dict[str, str]]:
    for row in held:
        if row.get("encryption") == "Required":
            cause = "its AssertionEncryptionMode is Required: a sign-in whose assertion is not encrypted is refused"
            remedy = "Set it to Allowed, or let Entra ID encrypt with a key whose private part every provider holds."
            yield finding("high", "provider requires encrypted assertions", row["provider_arn"], cause=cause, remedy=remedy)
        known = set(row["thumbprints"].split("; ")) - {""}
        if signs and known and not known & set(signs):
            cause = f"its metadata holds {', '.join(sorted(known))}, and Entra ID signs with {', '.join(sorted(signs))}: nobody can sign in"
            remedy = "Bring the metadata of the application there: 02-accounts."
            yield finding("critical", "account does not trust the certificate", row["provider_arn"], cause=cause, remedy=remedy)
