"""What the parameters of a run say every account should have, and what has to be read to plan it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import pandas as pd

from awsfed_lib.core.accounts import families_file as families_core
from awsfed_lib.core.accounts import federation
from awsfed_lib.core.accounts.families import Families
from awsfed_lib.core.accounts.federation import Terms
from awsfed_lib.core.certificate import certificates, distribution
from awsfed_lib.core.saml import metadata
from awsfed_lib.core.settings.parameters import Parameters
from awsfed_lib.edges.records import families_file, where

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from awsfed_lib.core.change import Guards
    from awsfed_lib.edges.amazon.organization import Organization
    from awsfed_lib.edges.entra.auth import Session
    from awsfed_lib.edges.entra.graph import Graph


class Running(Protocol):
    """What is needed of a run: its parameters and limits, its organization, and its way into Entra ID."""

    @property
    def parameters(self) -> Parameters:
        """Give the checked parameters."""

    @property
    def guards(self) -> Guards:
        """Give the limits of the parameter file."""

    @property
    def families(self) -> Families:
        """Give the roles that every account gets."""

    @property
    def organization(self) -> Organization:
        """Say which accounts are read, and how."""

    @property
    def session(self) -> Session:
        """Give the session in Entra ID."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """Give the clock of the run."""

    def graph(self) -> Graph:
        """Give Microsoft Graph."""


def families(given: Parameters) -> Families:
    """Read the families of the file that the parameters name. Raises ParameterError."""
    content = families_file.load(where.table_file(given.families_file))
    return families_core.read(content, provider=given.provider, partition=given.partition, endpoints=given.endpoints)


def names(run: Running, accounts: pd.DataFrame) -> pd.DataFrame:
    """Give each of ACCOUNTS what stands for it in role names: SLUGS.

    The whole organization is listed, whatever is selected: two accounts of one name must be told apart in every run.
    """
    from awsfed_lib.edges.amazon import survey
    from awsfed_lib.edges.amazon.selection import Selection

    file = run.parameters.names_file
    frozen = federation.read_frozen(where.table_file(file).read_bytes(), file) if file else {}
    everyone = survey.listed(replace(run.organization, only=Selection()))
    found = federation.slugs(everyone, frozen)
    return found[found["account_id"].isin(accounts["account_id"])].reset_index(drop=True)


def terms(run: Running, documents: pd.DataFrame) -> Terms:
    """Read the application's own metadata and what it signs with, and say what a plan for accounts goes by."""
    from awsfed_lib.edges.entra import saml_reads

    given, now, graph = run.parameters, run.clock(), run.graph()
    app_id = str(graph.service_principal(given.application_id, "appId").get("appId"))
    signing = certificates.signing(saml_reads.signing_certificates(graph, given.application_id), now)
    return Terms(
        families=run.families,
        base=metadata.parse(saml_reads.metadata(run.session, app_id)),
        tenant_id=given.tenant_id,
        signs=tuple(one.thumbprint for one in signing),
        holders=distribution.read(documents),
        now=now,
        canary=given.canary_accounts,
        wave=given.wave_accounts,
        failures=given.failures_tolerated,
        guards=run.guards,
    )
