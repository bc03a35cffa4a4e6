"""The SAML providers of all accounts, with what their metadata says: whose they are, and which certificates they take.

`ValidUntil` of a provider is no expiry of a certificate; the X.509 certificates in its metadata are read instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from functools import partial
from typing import Any

import boto3
import pandas as pd

from awsfed_lib.core.errors import DocumentError
from awsfed_lib.core.saml import metadata
from awsfed_lib.core.tables import PROVIDERS, frame
from awsfed_lib.edges.amazon.answers import provider_arns, whole
from awsfed_lib.edges.amazon.hub import Hub
from awsfed_lib.edges.amazon.inventory import account_table
from awsfed_lib.edges.amazon.organization import Organization
from awsfed_lib.edges.amazon.reading import read_organization
from awsfed_lib.edges.amazon.selection import Account


def providers(
    organization: Organization, *, provider: str = "", executor: Executor | None = None, session: boto3.Session | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the SAML providers called `provider` ("" means all) of every account: (ACCOUNTS, PROVIDERS).

    An account whose providers were not all read is a row of ACCOUNTS with its problem, and has no rows in PROVIDERS.
    The extra column `problem` of PROVIDERS says why a metadata document could not be understood, and `encryption` is its
    AssertionEncryptionMode: Required, Allowed, or "" for none. Errors as `inventory`.
    """
    look = partial(providers_in, asked=provider)
    readings = read_organization(organization, look, executor=executor, session=session)
    rows = sorted((row for reading in readings for row in reading.found or ()), key=lambda row: row["provider_arn"])
    more = {name: pd.Series([row.pop(name) for row in rows], dtype="str") for name in ("problem", "encryption")}
    return account_table(readings), frame(PROVIDERS, rows).assign(**more)


def providers_in(hub: Hub, account: Account, asked: str) -> list[dict[str, Any]]:
    """Read the providers of one account with their metadata: rows of PROVIDERS with the extra columns."""
    arns = provider_arns(hub.iam, account.account_id)
    wanted = [arn for arn in arns if asked in ("", arn.rsplit("/", 1)[1])]
    return [_row(account, arn, hub.iam.get_saml_provider(SAMLProviderArn=arn)) for arn in wanted]


def _row(account: Account, arn: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    said, problem = _read(whole(answer, "SAMLMetadataDocument"))
    return {
        "account_id": account.account_id,
        "provider_arn": arn,
        "provider_name": arn.rsplit("/", 1)[1],
        "problem": problem,
        "encryption": answer.get("AssertionEncryptionMode", ""),
        **said,
    }


def _read(document: str) -> tuple[dict[str, Any], str]:
    """Entity, thumbprints in the order of the document, and the end of the certificate that ends last; or why not."""
    try:
        found = metadata.read(document)
    except DocumentError as error:
        return {}, f"{error.what} ({error.reason})"
    thumbprints = dict.fromkeys(certificate.thumbprint for certificate in found.certificates)
    ends = [certificate.not_after for certificate in found.certificates]
    said = {"entity_id": found.entity_id, "thumbprints": "; ".join(thumbprints), "not_after": max(ends, default=None)}
    return said, "" if thumbprints else "The metadata holds no signing certificate."
