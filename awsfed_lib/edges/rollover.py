"""The certificate rollover as the runbook 08-certificates sees it: what is live on both sides, and its one next stage."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pandas as pd

from awsfed_lib.core.accounts.ownership import Owners, owned_holders, unowned
from awsfed_lib.core.certificate import certificates, distribution
from awsfed_lib.core.certificate.campaign import Campaign, Live
from awsfed_lib.core.certificate.rollover import stage
from awsfed_lib.core.certificate.rollover_recipe import recipe
from awsfed_lib.core.certificate.stage import Stage
from awsfed_lib.core.roles import approles
from awsfed_lib.core.saml import metadata
from awsfed_lib.core.settings.parameters import Parameters
from awsfed_lib.edges.amazon.ownership import owners
from awsfed_lib.edges.entra import live_tables, objects, saml_reads
from awsfed_lib.edges.entra.graph import Graph
from awsfed_lib.edges.records.proofs import proofs
from awsfed_lib.edges.records.run import Run

__all__ = ["campaign", "decide", "live", "recipe", "stage", "timeline"]
DAY = 86_400


def campaign(given: Parameters) -> Campaign:
    """Take the campaign from the parameters. Raises ParameterError."""
    split = (line.partition(": ") for line in given.campaign_exclusions)
    return Campaign(
        certificate=given.certificate,
        thumbprint=given.certificate_thumbprint,
        canary=given.canary_accounts,
        excluded={account_id: reason for account_id, _, reason in split},
        wave=given.wave_accounts,
        soak=given.soak_days * DAY,
        window=given.window_days * DAY,
        mode=given.rollover,
    )


def live(run: Run, graph: Graph, documents: pd.DataFrame) -> Live:
    """Read the certificates, the application's own metadata and its appRoles, and put them beside DOCUMENTS and the proofs in the records.

    DOCUMENTS are those of all SAML providers of the accounts that were read. What counts is every provider that an appRole
    names: one that was not read is a holder with its problem.
    Raises UnreadError, GraphError, and DocumentError for metadata that is not fit for AWS.
    """
    of = run.parameters.application_id
    wire = live_tables.signing(graph, of)[0]
    app_id = objects.need(graph.service_principal(of, "appId"), "appId", "The service principal")
    own = metadata.parse(saml_reads.metadata(run.session, app_id)) if certificates.read(wire) else None
    return Live(
        application=graph.application(of),
        organization=run.aws.subject,
        service_principal=wire,
        holders=distribution.whole(documents, run.parameters.provider, approles.providers(graph.app_roles(of))),
        metadata=own,
        proofs=proofs(of),
        cloud=run.session.cloud.laws,
    )


def decide(run: Run, found: Live) -> Stage:
    """Say the next stage, and plan it for the accounts whose SAML provider no CloudFormation stack owns.

    Raises UnreadError when the certificates were not read.
    """
    by, now = campaign(run.parameters), run.clock()

    def among(known: Owners) -> Stage:
        return stage(replace(found, holders=owned_holders(found.holders, known)), by, now)

    plan, known = unowned(lambda owners_so_far: among(owners_so_far).plan, partial(owners, run.organization))
    return replace(among(known), plan=plan)


def timeline(run: Run, found: Live) -> pd.DataFrame:
    """Show the signing certificates with what follows from each: CERTIFICATES."""
    return certificates.timeline(certificates.read(found.service_principal), run.clock())
