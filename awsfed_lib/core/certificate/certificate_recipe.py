"""How to make a signing certificate where Graph does not: clouds without addTokenSigningCertificate, or a certificate of one's own.

awsfed does not send this by itself: the request would hold a private key, and a plan shows and records what it sends.
Sources: learn.microsoft.com graph/application-saml-sso-configure-api ("Add a custom signing key"),
entra/identity/enterprise-apps/tutorial-manage-certificates-for-federated-single-sign-on (the portal).
"""

from __future__ import annotations

import pandas as pd

from awsfed_lib.core.certificate.campaign import CLOUDS_THAT_MAKE
from awsfed_lib.core.tables import FACTS, frame

PORTAL = "In the admin centre: Enterprise applications, the application, Single sign-on, SAML Certificates, Edit"
_OWN = (
    'openssl req -x509 -newkey rsa:2048 -sha256 -days 1095 -nodes -subj "/{name}" -keyout key.pem -out cert.pem',
    "openssl pkcs12 -export -inkey key.pem -in cert.pem -out aws.pfx    # asks for a password; delete key.pem afterwards",
)
_GRAPH = (
    "PATCH /servicePrincipals/{Object ID} with keyCredentials of both usages, Sign (X509CertAndPassword, the PFX in base64) and Verify"
    " (AsymmetricX509Cert, the certificate in base64), and passwordCredentials with the keyId of Sign and the PFX password; all three"
    " have one customKeyIdentifier, the base64 of the SHA-256 of the thumbprint. It replaces both lists: send what is there along"
)


def recipe(cloud: str, name: str) -> pd.DataFrame:
    """Tell the ways to a signing certificate in this cloud, in order: FACTS. `name`: CN=…, of the certificate."""
    name = name or "CN=AWS"
    told = (
        [("Graph makes it", "in this cloud: 01-application plans it, nothing is to be done by hand")] if cloud in CLOUDS_THAT_MAKE else []
    )
    told += [
        ("the portal makes it", f"{PORTAL}, New Certificate, Save; then … and Make certificate active"),
        ("your own, made here", _OWN[0].format(name=name)),
        ("your own, as one file", _OWN[1]),
        ("your own, by the portal", f"{PORTAL}, Import Certificate, aws.pfx with its password; then … and Make certificate active"),
        (
            "your own, by Graph",
            _GRAPH,
        ),
        ("then", "run 01-application again: it activates the only certificate, and shows the metadata that holds it"),
    ]
    return frame(FACTS, [{"fact": fact, "value": value} for fact, value in told])
