"""The inventory where AWS is a help and no condition: what cannot be read is a reason, and the runbook goes on."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from awsfed_lib.core.errors import AwsError, ParameterError, SignInError
from awsfed_lib.edges.amazon.inventory import inventory
from awsfed_lib.edges.amazon.organization import Organization


class Attempt(NamedTuple):
    """ROLES of the accounts that were read, None when AWS could not be asked at all; `problem` says why, "" says it could."""

    roles: pd.DataFrame | None
    problem: str


def attempt(organization: Organization, *, provider: str) -> Attempt:
    """Read the roles of the organization as `inventory` does; a refusal is a reason, never an error."""
    try:
        return Attempt(inventory(organization, provider=provider)[1], "")
    except (AwsError, ParameterError, SignInError) as error:
        return Attempt(None, error.what)
