from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, pkcs12
from cryptography.x509.oid import NameOID

from awsfed_lib.core.errors import SignInError
from awsfed_lib.edges.entra import credentials

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


def made(key=KEY, start=-10, end=10):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "awsfed")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    builder = builder.not_valid_before(NOW + timedelta(days=start)).not_valid_after(NOW + timedelta(days=end))
    return builder.sign(key, hashes.SHA256())


def pem(*parts, password=None):
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    texts = [
        part.public_bytes(Encoding.PEM)
        if isinstance(part, x509.Certificate)
        else part.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
        for part in parts
    ]
    return b"".join(texts)


def pfx(key=KEY, certificate=None, password=b"canary-pass", others=()):
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"awsfed", key, certificate or made(), list(others), lock)


@pytest.fixture
def read(tmp_path):
    def read(content, password="", now=NOW):
        file = tmp_path / "client.pem"
        file.write_bytes(content)
        return credentials.certificate(str(file), password, now)

    return read


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (pem(KEY, made()), ""),
        (pem(made(), KEY), ""),
        (pem(KEY, made()), "not needed"),
        (pem(made(OTHER), KEY, made()), ""),
        (pem(KEY, made(), password=b"canary-pass"), "canary-pass"),
        (pfx(), "canary-pass"),
        (pfx(password=b""), ""),
        (pfx(others=[made(OTHER)]), "canary-pass"),
    ],
)
def test_key_and_its_certificate(read, content, password):
    found = read(content, password)
    assert x509.load_pem_x509_certificate(found.certificate.encode()).public_key() == KEY.public_key()
    assert found.ends == NOW + timedelta(days=10)
    assert set(found.credential) == {"private_key", "public_certificate"}
    assert "PRIVATE" not in repr(found)
    assert "PRIVATE" not in f"{found}"


@pytest.mark.parametrize(
    ("content", "password", "words"),
    [
        (pem(KEY, made(), password=b"canary-pass"), "wrong", "passphrase is wrong or missing"),
        (pem(KEY, made(), password=b"canary-pass"), "", "passphrase is wrong or missing"),
        (pfx(), "wrong", "passphrase is wrong or missing"),
        (pfx(), "", "passphrase is wrong or missing"),
        (pem(KEY), "", "no certificate of its private key"),
        (pem(KEY, made(OTHER)), "", "no certificate of its private key"),
        (pem(made()), "", "a certificate and no private key"),
        (pem(CURVE, made(CURVE)), "", "no RSA private key"),
        (b"", "", "damaged"),
        (b"-----BEGIN CERTIFICATE-----\nhalf", "", "damaged"),
        (pfx()[:100], "canary-pass", "damaged"),
    ],
    ids=[
        "encrypted, wrong passphrase",
        "encrypted, no passphrase",
        "pfx, wrong passphrase",
        "pfx, no passphrase",
        "key alone",
        "certificate of another key",
        "certificate alone",
        "elliptic curve",
        "empty",
        "half a certificate",
        "half a pfx",
    ],  # our own: the bytes are new in every process, and workers must agree on names
)
def test_unusable_file_says_why(read, content, password, words):
    with pytest.raises(SignInError, match=words) as error:
        read(content, password)
    assert "canary" not in str(error.value)
    assert error.value.__context__ is None
    assert error.value.where.endswith("client.pem")


def test_expired_certificate_is_told_before_anything_is_sent(read):
    with pytest.raises(SignInError, match=r"expired on 2026-11-23 12:00Z; nothing was sent"):
        read(pem(KEY, made(end=-1)))


def test_last_moment_is_over(read):
    content = pem(KEY, made())
    assert read(content, now=NOW + timedelta(days=10, seconds=-1))
    with pytest.raises(SignInError, match="expired"):
        read(content, now=NOW + timedelta(days=10))


def test_certificate_of_tomorrow_is_told(read):
    with pytest.raises(SignInError, match=r"valid from 2026-11-25 12:00Z"):
        read(pem(KEY, made(start=1)))


def test_missing_file_is_named(tmp_path):
    with pytest.raises(SignInError, match="No such file") as error:
        credentials.certificate(str(tmp_path / "none.pem"), "", NOW)
    assert credentials.CERTIFICATE in error.value.remedy


def test_assertion_is_read_anew_each_time(tmp_path):
    """The platform renews the file; a token read once would be stale after an hour (MSAL issue 746)."""
    file = tmp_path / "token"
    file.write_text("one\n")
    fresh = credentials.assertion({"AZURE_FEDERATED_TOKEN_FILE": str(file)}, "api://x")
    assert fresh() == "one"
    file.write_text("two")
    assert fresh() == "two"
    file.unlink()
    with pytest.raises(SignInError):
        fresh()


@pytest.mark.parametrize(
    ("call", "variable"),
    [
        (lambda: credentials.assertion({}, "api://AzureADTokenExchangeChina"), "AZURE_FEDERATED_TOKEN_FILE"),
        (lambda: credentials.secret({"AZURE_CLIENT_SECRET": ""}), "AZURE_CLIENT_SECRET"),
        (lambda: credentials.certificate_file({}), "AZURE_CLIENT_CERTIFICATE_PATH"),
    ],
)
def test_missing_variable_is_named(call, variable):
    with pytest.raises(SignInError, match=variable):
        call()


def test_missing_assertion_names_the_audience_of_the_cloud():
    with pytest.raises(SignInError) as error:
        credentials.assertion({}, "api://AzureADTokenExchangeChina")
    assert "api://AzureADTokenExchangeChina" in error.value.remedy
