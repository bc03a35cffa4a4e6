"""Providers of all accounts, and what their metadata says; over HTTP from the sandbox and from canned answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.sax.saxutils import escape

import pandas as pd
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from awsfed_lib.core.tables import ACCOUNTS, PROVIDERS, check
from awsfed_lib.edges.amazon import aws
from awsfed_lib.sandbox.amazon import metadata
from awsfed_lib.sandbox.aws import AwsSwitches, Org
from awsfed_lib.sandbox.org import world
from awsfed_lib.sandbox.server import Server

_spec = spec_from_file_location("rendered", Path(__file__).with_name("rendered.py"))
rendered = module_from_spec(_spec)
_spec.loader.exec_module(rendered)

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ENTITY = "https://sts.windows.net/11111111-2222-3333-4444-555555555555/"
ORGANIZATION = aws.Organization(via="awsfed-audit", external_id="awsfed-sandbox", pauses=(0.0, 0.0, 0.0))


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))


def certificate(ends: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "contoso")])
    start = ends - timedelta(days=1095)
    return x509.CertificateBuilder(name, name, KEY.public_key(), x509.random_serial_number(), start, ends).sign(KEY, hashes.SHA256())


def thumbprint(one: x509.Certificate) -> str:
    return one.fingerprint(hashes.SHA1()).hex().upper()


OLD, NEW = certificate(datetime(2026, 12, 1, tzinfo=UTC)), certificate(datetime(2029, 11, 24, 10, 0, tzinfo=UTC))


@contextmanager
def canned(*documents: str, fault: Any = rendered.no_fault) -> Iterator[Any]:
    """Serve one account a document, in order; a session for it."""

    def answer(ask: Any) -> Any:
        if ask.action != "GetSAMLProvider":
            return fault(ask)
        document = escape(documents[int(ask.account) - 1])
        inner = f"<SAMLMetadataDocument>{document}</SAMLMetadataDocument><ValidUntil>2126-01-01T00:00:00Z</ValidUntil>"
        return fault(ask) or (200, rendered.xml(ask.action, inner))

    served = rendered.Rendered(len(documents), 0, fault=answer)
    with Server(served.app) as server:
        yield rendered.session(server.url)


def read(session: Any, **more: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    return aws.providers(ORGANIZATION, session=session, **more)


def document(*certificates: x509.Certificate) -> str:
    return metadata.render(ENTITY, list(certificates), "https://login.example/saml2")


def test_certificates_count_and_valid_until_does_not() -> None:
    """ValidUntil of a provider may be a century away (a public fixture says 2126); what ends is the certificate."""
    with canned(document(OLD, NEW)) as session:
        accounts, providers = read(session)
    check(ACCOUNTS, accounts)
    check(PROVIDERS, providers)
    (row,) = providers.to_dict(orient="records")
    assert row["entity_id"] == ENTITY
    assert row["thumbprints"] == f"{thumbprint(OLD)}; {thumbprint(NEW)}"
    assert row["not_after"] == pd.Timestamp("2029-11-24T10:00:00Z")
    assert (row["provider_name"], row["problem"]) == ("WAAD", "")


def test_byte_order_mark_is_dropped() -> None:
    """What Entra offers for download begins with one, and IAM keeps what it was given."""
    with canned("\ufeff" + document(NEW)) as session:
        _, providers = read(session)
    assert providers.thumbprints[0] == thumbprint(NEW)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("no XML at all", "not-xml"),
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><EntityDescriptor>&e;</EntityDescriptor>', "dtd"),
        (document(NEW).replace("IDPSSODescriptor", "SPSSODescriptor"), "no-idp"),
        (document(), "no signing certificate"),
        (document(NEW).replace("<X509Certificate>MII", "<X509Certificate>AAA"), "certificate"),
    ],
)
def test_metadata_that_cannot_be_understood_is_a_row_with_its_problem(text: str, part: str) -> None:
    with canned(text, document(NEW)) as session:
        accounts, providers = read(session)
    assert list(accounts.problem) == ["", ""]
    assert part in providers.problem[0]
    assert providers.thumbprints[0] == ""
    assert pd.isna(providers.not_after[0])
    assert providers.problem[1] == ""


def test_account_that_was_not_read_in_full_has_no_provider_and_a_problem() -> None:
    def denied(ask: Any) -> Any:
        if (ask.account, ask.action) != ("000000000001", "GetSAMLProvider"):
            return None
        return rendered.error(403, "AccessDenied", "User: x is not authorized to perform: iam:GetSAMLProvider")

    with canned(document(NEW), document(NEW), fault=denied) as session:
        accounts, providers = read(session)
    assert "may not call GetSAMLProvider" in accounts.problem[0]
    assert list(providers.account_id) == ["000000000002"]


def test_answer_without_a_document_is_unread_not_empty() -> None:
    def nothing(ask: Any) -> Any:
        return (200, rendered.xml(ask.action, "")) if ask.action == "GetSAMLProvider" else None

    with canned(document(NEW), fault=nothing) as session:
        accounts, providers = read(session)
    assert "without SAMLMetadataDocument" in accounts.problem[0]
    assert providers.empty


def test_only_the_provider_asked_for() -> None:
    """And the table of none has its columns all the same."""
    with canned(document(NEW)) as session:
        _, none = read(session, provider="Okta")
        _, one = read(session, provider="WAAD")
    check(PROVIDERS, none)
    assert (len(none), len(one)) == (0, 1)


def test_every_account_of_the_sandbox_is_a_row() -> None:
    """Messy accounts, each provider with the certificate that the world says."""
    made = world(5, 24)["org"]
    org = Org(made, lambda _app, which: document(NEW if which == "current" else OLD), AwsSwitches())
    with Server(org.app) as server:
        keys = org.credentials["hub"]
        accounts, providers = read(rendered.LoopbackSession(rendered.described(server.url, keys.access_key, keys.secret)))
    assert set(accounts.account_id) == {entry["id"] for entry in made["accounts"]}
    read_in_full = set(accounts[accounts.problem == ""].account_id)
    wanted = {
        f"arn:aws:iam::{entry['id']}:saml-provider/{one['name']}": thumbprint(NEW if one["certificate"] == "current" else OLD)
        for entry in made["accounts"]
        for one in entry["providers"]
        if entry["id"] in read_in_full and one["app"]
    }
    found = dict(zip(providers.provider_arn, providers.thumbprints, strict=True))
    assert wanted.items() <= found.items()
    assert set(providers.account_id) <= read_in_full
