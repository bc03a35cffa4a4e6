"""How the new certificate of a rollover is made, by cloud: Graph makes it in one of them, people do in the others.

Source: learn.microsoft.com graph/api/serviceprincipal-addtokensigningcertificate (its table of clouds),
entra/identity/enterprise-apps/tutorial-manage-certificates-for-federated-single-sign-on (the portal).
"""

from __future__ import annotations

import pandas as pd

from awsfed_lib.core.certificate.campaign import CLOUDS_THAT_MAKE
from awsfed_lib.core.certificate.certificate_recipe import PORTAL
from awsfed_lib.core.tables import FACTS, frame

_BY_HAND = (
    ("by hand", f"{PORTAL}, New Certificate, Save"),
    ("or your own", f"{PORTAL}, Import Certificate, a PFX file with its password"),
    ("not yet", "leave it Inactive: 08-certificates makes it active when all accounts hold it"),
    (
        "then",
        "copy its thumbprint into certificate_thumbprint of the parameter file (all have one name there), and run 08-certificates",
    ),
)
_BY_GRAPH = ("Graph makes it", "the first stage of 08-certificates plans it; nothing is to be done by hand")


def recipe(cloud: str) -> pd.DataFrame:
    """Tell how the new certificate is made in this cloud, in order: FACTS."""
    told = (_BY_GRAPH,) if cloud in CLOUDS_THAT_MAKE else _BY_HAND
    return frame(FACTS, [{"fact": fact, "value": value} for fact, value in told])
