"""Secrets in a record: every form of a known one is found, every kind is known by its form, and nothing innocent is taken for one."""

import base64
import hashlib
import html
import io
import json
import os
import re
import secrets as random_texts
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, quote_plus

import nbformat
import pandas as pd
import pytest
from nbformat import v4
from saml_made import certificate
from small_root import make

from awsfed_lib.core.settings import disguises, secrecy
from awsfed_lib.core.settings.secrecy import redacted
from awsfed_lib.core.view.table_view import table_html
from awsfed_lib.doors import keeper, runner
from awsfed_lib.edges.records import durable, held, journal, leaks, opening, outlet, parameter_file, record, runbooks, where
from awsfed_lib.edges.records.journal import Journal
from awsfed_lib.edges.records.lock import Locks
from awsfed_lib.edges.records.needles import Needles
from awsfed_lib.sandbox.serve import Sandbox, Size

ROOT = Path(__file__).parents[1]
KNOWN = {
    "client secret": "Zm7~kP/2+x-Q.r_T9=wE",
    "passphrase": "corr\"ect ho<rse & bat'tery \\ ünter",
    "aws secret key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEX+MPLEKEY",
    "opaque token": "opaque-" + "Qz9/x+" * 60,
    "key file": "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" + "aB3d/x+9" * 150,
}
IN_TEXT = {
    "a private key": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\n-----END PRIVATE KEY-----",
    "a private key, bare": "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7",
    "a token (JWT)": "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl",
    "an AWS access key": "ASIAIOSFODNN7EXAMPLE",
    "an AWS session token": "IQoJb3JpZ2luX2VjE" + "aB3d" * 20,
    "an AWS secret access key": "SecretAccessKey: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "an Entra client secret": "Ab1" + "8Q~" + "cdEFgh01_x.-~" * 2 + "abcdefgh",
    "an Entra refresh token": "0.A" + "XkAbCdEf_-" * 6,
    "a SAML assertion": '<saml2p:Response xmlns:saml2p="urn:oasis:names:tc:SAML:2.0:protocol"><saml:Assertion>x</saml:Assertion></saml2p:Response>',
    "a SAML assertion, as posted": base64.b64encode(b"<samlp:Response ID='_1' Version='2.0'>" + b"x" * 90).decode(),
    "a storage signature (SAS)": "https://a.blob.core.windows.net/c?sv=2024-11-04&sp=r&sig=ab%2Bcdefghijklmnopqrstuvwxyz012345%3D",
    "a connection string": "Server=tcp:x.example,1433;Initial Catalog=a;User ID=b;Password=Secr3tPass;",
    "a connection string of a bus": "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=aB3dx9kQ2w==",
    "a bearer token": "Authorization: Bearer dGhpcy1pcy1hLXRva2Vu",
    "a password in an address": "https://admin:hunter22@proxy.example:8080",
    "the address of a webhook": "https://hooks.slack.com/services/T00000000/B00000000/abcdefghijklmnop",
    "the address of a webhook, of Teams": "https://contoso.webhook.office.com/webhookb2/" + "ab12" * 9 + "@" + "cd34" * 9 + "/IncomingWebhook/x",
    "a password of HTTP (Basic)": "Authorization: Basic YWRtaW46aHVudGVyMjI=",
    "a token of a code host": "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
}  # fmt: skip


def lines_of_a_notebook(text):
    """As nbformat writes a stream: a list of lines."""
    return json.dumps([line + "\n" for line in [text[: len(text) // 2], text[len(text) // 2 :]]], indent=1)


ENCODED = {
    "plain": str,
    "base64 at 0": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 at 1": lambda text: base64.b64encode(f"x{text}".encode()).decode(),
    "base64 at 2, in more": lambda text: base64.b64encode(f"ab: {text}; and more".encode()).decode(),
    "base64url at 0": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64url at 1": lambda text: base64.urlsafe_b64encode(f"y{text}yy".encode()).decode(),
    "base64url at 2": lambda text: base64.urlsafe_b64encode(f"yy{text}".encode()).decode(),
    "base64, twice": lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
    "base64 of base64 in more": lambda text: base64.b64encode(b"v: " + base64.b64encode(text.encode())).decode(),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "url": lambda text: quote(text, safe=""),
    "url, slashes kept": quote,
    "url, lower case": lambda text: re.sub("%..", lambda escape: escape[0].lower(), quote(text, safe="")),
    "url, twice": lambda text: quote(quote(text, safe=""), safe=""),
    "form": quote_plus,
    "json": json.dumps,
    "json, not ascii": lambda text: json.dumps(text, ensure_ascii=False),
    "json, slashes escaped": lambda text: json.dumps(text).replace("/", "\\/"),
    "json in json": lambda text: json.dumps(json.dumps({"a": text})),
    "html": html.escape,
    "html, quotes kept": lambda text: html.escape(text, quote=False),
    "html of json": lambda text: html.escape(json.dumps(text)),
    "json of html": lambda text: json.dumps(html.escape(text)),
    "a table of ours": lambda text: f"<wbr>{text}</wbr>".replace("/", "/<wbr>"),
    "csv": lambda text: '"' + text.replace('"', '""') + '"',
    "json in csv": lambda text: '"' + json.dumps({"a": text}).replace('"', '""') + '"',
    "json in csv, not ascii": lambda text: '"' + json.dumps({"a": text}, ensure_ascii=False).replace('"', '""') + '"',
    "repr": repr,
    "lines of a notebook": lines_of_a_notebook,
    "wrapped": lambda text: "\n".join(text[start : start + 16] for start in range(0, len(text), 16)),
    "base64, wrapped": lambda text: base64.encodebytes(text.encode() * 2).decode(),
    "coloured": lambda text: f"\x1b[31m{text[:9]}\x1b[0m\x1b[32m{text[9:]}\x1b[0m",
    "coloured, in json": lambda text: json.dumps(f"\x1b[31m{text[:9]}\x1b[0m\x1b[32m{text[9:]}\x1b[0m"),
}  # fmt: skip


@pytest.mark.parametrize("how", ENCODED)
@pytest.mark.parametrize("secret", KNOWN)
def test_known_secret_is_found_in_every_form(secret, how):
    """detect-secrets 1.5 with its defaults finds half of such a corpus, and no Entra client secret."""
    content = f"before {ENCODED[how](KNOWN[secret])} after".encode()
    found = leaks.find(content, Needles(KNOWN.values()))
    assert found
    assert leaks.find(leaks.without(content, found), Needles(KNOWN.values())) == []


@pytest.mark.parametrize("coding", ["utf-16-le", "utf-16-be"])
def test_known_secret_is_found_in_utf_16(coding):
    content = f"before {KNOWN['client secret']} after".encode(coding)
    assert leaks.find(content, Needles(KNOWN.values()))


def test_long_secret_is_found_when_a_view_has_cut_it():
    token = KNOWN["opaque token"]
    for part in (token[:100], token[-100:], token[len(token) // 2 - 60 : len(token) // 2 + 60]):
        assert leaks.find(part.encode(), Needles([token]))


@pytest.mark.parametrize("word", ["", "hunter2", "password", "changeit", "correcthorse", "12345678901"])
def test_what_anybody_writes_is_not_searched_for(word):
    """A passphrase that is a word would make every text about passphrases a leak."""
    assert not disguises.disguises(word)


@pytest.mark.parametrize("kind", IN_TEXT)
@pytest.mark.parametrize("around", ["{}", '{{"a": "{}"}}', "<td>{}</td>", "x,{}\n", "\x1b[31m{}\x1b[0m", "line\n  {}\n"])
def test_secret_is_known_by_its_form(kind, around):
    content = around.format(IN_TEXT[kind]).encode()
    found = leaks.find(content, Needles(()))
    assert [hit.kind for hit in found] == [kind.partition(",")[0].removesuffix(" of a bus")] * len(found)
    assert found
    assert not leaks.find(leaks.without(content, found), Needles(()))


def keys():
    """Private keys as libraries write them, without the armour that would give them away."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    made = {curve.name: ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())}
    made |= {"ed25519": ed25519.Ed25519PrivateKey.generate(), "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048)}
    for name, key in made.items():
        yield f"{name} PKCS#8", key.private_bytes(form.Encoding.DER, form.PrivateFormat.PKCS8, form.NoEncryption())
        if name != "ed25519":
            yield f"{name} SEC1 or PKCS#1", key.private_bytes(form.Encoding.DER, form.PrivateFormat.TraditionalOpenSSL, form.NoEncryption())
        armoured = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption()).decode().splitlines()
        yield f"{name} OpenSSH", base64.b64decode("".join(armoured[1:-1]))
    yield "PKCS#12", form.pkcs12.serialize_key_and_certificates(b"x", made["rsa"], None, None, form.BestAvailableEncryption(b"x"))


def test_private_keys_are_known_without_their_armour():
    missed = [name for name, der in keys() if not leaks.find(json.dumps({"value": base64.b64encode(der).decode()}).encode(), Needles(()))]
    assert missed == []


@pytest.mark.parametrize(
    "written", [json.dumps, repr, lambda value: json.dumps(json.dumps(value)), lambda value: html.escape(json.dumps(value))]
)
@pytest.mark.parametrize("name", ["password", "clientSecret", "passphrase"])
def test_a_password_beside_its_name_is_found(name, written):
    assert leaks.find(written({"user": "x", name: "hunter2!x"}).encode(), Needles(()))


def test_the_private_part_of_a_jwk_is_found():
    jwk = json.dumps(
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
        }
    )
    (found,) = leaks.find(jwk.encode(), Needles(()))
    assert found.kind == "a private key"
    assert leaks.find(json.dumps({"d": "x" * 43}).encode(), Needles(())) == []


@pytest.mark.parametrize("label", ["SecretAccessKey", "session_token"])
def test_secret_with_its_name_is_known_in_a_cell_of_a_csv(label):
    """JSON in a cell has its quotes doubled (RFC 4180); the Parquet of the same table cannot be searched, and goes with it."""
    content = '"' + json.dumps({label: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}).replace('"', '""') + '"\n'
    assert leaks.find(content.encode(), Needles(()))


def test_assertion_is_known_in_html_and_where_a_table_wraps_it():
    drawn = html.escape(IN_TEXT["a SAML assertion"]).replace("/", "/<wbr>")
    assert leaks.find(drawn.encode(), Needles(()))
    assert leaks.find(b"eyJhbGciOiJSUzI1NiIsInR5cCI6<wbr>IkpXVCJ9.eyJzdWIiOiJj<wbr>YW5hcnkifQ.c2lnbmF0dXJl", Needles(()))


def innocent():
    """Thousands of values that records are full of. Random, yet none of their ids is a test's id."""
    now = datetime(2026, 11, 24, tzinfo=UTC)
    for number in range(1200):
        account, guid, digest = f"{number * 7919:012d}", uuid.uuid4(), hashlib.sha256(str(number).encode()).hexdigest()
        yield from (str(guid), guid.hex, digest, digest[:40].upper(), f"plan-{digest[:16]}", account, f"sha256:{digest}")
        yield f"arn:aws:iam::{account}:role/ops/Admin-{digest[:20]},arn:aws:iam::{account}:saml-provider/WAAD"
        yield f"arn:aws:sts::{account}:assumed-role/awsfed-audit/awsfed AROA{digest[:17].upper()} AIDA{digest[:17].upper()}"
        yield base64.b64encode(hashlib.sha256(digest.encode()).digest()).decode()
        yield base64.b64encode(hashlib.sha1(digest.encode()).digest()).decode()
        yield (now + timedelta(seconds=number)).isoformat()
        yield f"https://login.microsoftonline.com/{guid}/federationmetadata/2007-06/federationmetadata.xml?appid={guid}"
        yield f"request-id {guid}, client-request-id {uuid.uuid4()}, correlation id {guid}"
        yield random_texts.token_hex(32)


def test_nothing_innocent_is_taken_for_a_secret():
    listed = list(innocent())
    assert len(listed) > 15_000
    for content in ("\n".join(listed), json.dumps(listed), "".join(f"<td>{html.escape(text)}</td>" for text in listed)):
        assert leaks.find(content.encode(), Needles(KNOWN.values())) == []


def test_certificates_and_metadata_are_no_secrets():
    for number in range(40):
        der = certificate(f"CN=test {number}", serial=number + 1).der
        armoured = base64.encodebytes(der).decode()
        pem = f"-----BEGIN CERTIFICATE-----\n{armoured}-----END CERTIFICATE-----"
        said = f'<ds:X509Certificate>{base64.b64encode(der).decode()}</ds:X509Certificate><AssertionConsumerService Location="https://x/saml"/>'
        assert leaks.find(f"{pem}\n{json.dumps(pem)}\n{said}\n{html.escape(said)}".encode(), Needles(())) == []


def test_our_own_sources_and_notebooks_hold_no_secret():
    """Real prose, code and parameter files: what a record's notebook is made of."""
    for path in (
        *(ROOT / "notebooks").glob("*.ipynb"),
        *(ROOT / "parameters").iterdir(),
        *(ROOT / "awsfed_lib").rglob("*.py"),
        ROOT / "README.md",
    ):
        assert leaks.find(path.read_bytes(), Needles(KNOWN.values())) == [], path.name


def test_search_of_a_large_record_for_many_secrets_is_quick():
    """700 accounts hold a key and a session token each; a budget with room for a busy machine."""
    needles = Needles([random_texts.token_urlsafe(size) for size in (30, 300) for _ in range(700)])
    content = (table_html.__doc__ or "").encode() + b"<td>arn:aws:iam::012345678901:role/Admin</td>\n" * 60_000
    began = datetime.now(UTC)
    leaks.find(content, needles)
    assert (datetime.now(UTC) - began).total_seconds() < 15


def test_several_places_are_told_by_file_and_line_and_never_by_value(tmp_path):
    made = written(
        tmp_path,
        {
            "note.json": b'{\n "a": "b",\n "c": "ASIAIOSFODNN7EXAMPLE"\n}',
            "tables/roles.csv": b'"x"\n"' + KNOWN["client secret"].encode() + b'"\n',
        },
    )
    verdict, problem = leaks.judged(made, KNOWN.values(), ("done", ""))
    assert verdict == "leaked"
    assert "note.json, line 3: an AWS access key; tables/roles.csv, line 2: a secret of this run" in problem
    assert problem.endswith("Otherwise the run is done.")
    assert made.run()["leaks"][0] == {"file": "note.json", "line": 3, "kind": "an AWS access key"}
    assert not leaks.sweep(made, KNOWN.values())


def written(folder, files):
    made = record.create(folder / "runs", "20261124T075100Z-09-audit-x", {"runbook": "09-audit", "executed_by": "notebook"})
    for name, content in files.items():
        durable.folder((made.folder / name).parent)
        durable.write_new(made.folder / name, content)
    return made


def test_file_is_mended_in_the_record_and_put_away_as_it_was(tmp_path):
    content = json.dumps({"a": KNOWN["passphrase"], "b": "stays"}).encode()
    made = written(tmp_path, {"note.json": content})
    leaks.sweep(made, KNOWN.values())
    assert json.loads((made.folder / "note.json").read_bytes()) == {"a": "[a secret of this run, removed]", "b": "stays"}
    away = tmp_path / "runs/.quarantine" / made.folder.name / "note.json"
    assert away.read_bytes() == content
    assert (away.stat().st_mode & 0o777, away.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_what_cannot_be_mended_leaves_the_record(tmp_path):
    """Parquet is compressed, and the CSV beside it shows what is in it; a journal that cannot be read stays without the secret."""
    secret = KNOWN["client secret"].encode()
    made = written(
        tmp_path,
        {
            "journal.jsonl": secret,
            "tables/roles.csv": secret,
            "tables/roles.parquet": b"PAR1\x00\xff",
            "tables/other.parquet": b"PAR1\x00\xff",
            "raw.bin": b"\x00\xff" + secret,
        },
    )
    leaks.sweep(made, KNOWN.values())
    assert sorted(path.name for path in leaks.files(made.folder)) == ["journal.jsonl", "other.parquet", "roles.csv", "run.json"]
    assert sum(path.is_file() for path in (tmp_path / "runs/.quarantine").rglob("*")) == 4


NAMES = {
    "a private key": "-----BEGIN PRIVATE KEY-----",
    "an AWS access key": "AKIAIOSFODNN7EXAMPLE",
    "a bearer token": "bearer of-the-quarterly-report",
    "a password in an address": "git+ssh://user:word@git.example.com/x",
    "a SAML assertion": "<saml:Assertion",
}


@pytest.mark.parametrize("kind", NAMES)
def test_a_name_that_looks_like_a_secret_hides_nothing_else(kind):
    """One line of a log, one row of a table and one string of a JSON each: what stands before and behind stays."""
    name = NAMES[kind]
    for form in (
        "before\n{} behind\nlast",
        "<td>before</td><td>{}</td><td>behind</td><b>last</b>",
        '{{"a": "before", "b": "{}", "c": "behind", "d": "last"}}',
    ):
        cleaned = redacted(form.format(name))
        assert f"[{kind}, removed]" in cleaned
        assert all(word in cleaned for word in ("before", "behind", "last"))
    page = f"<td>{html.escape(name)}</td><td>behind</td>".encode()
    assert leaks.without(page, leaks.find(page, Needles(()))).endswith(b"</td><td>behind</td>")


@pytest.mark.parametrize("kind", NAMES)
def test_a_name_that_looks_like_a_secret_is_no_leak_and_takes_no_journal(tmp_path, kind):
    name = NAMES[kind]
    made = written(tmp_path, {"snapshots/groups-x.json": json.dumps({"table": "groups", "value": [{"name": name}]}).encode()})
    book = Journal(made.folder, Locks(tmp_path / "locks"), lambda: datetime.now(UTC), "04-approles")
    book.note("plan", id="plan-1", content={"changes": [name]})
    book.note("intent", method="PATCH", path="/x", body=json.dumps({"displayName": name, "id": "stays"}))
    book.seal("applied")
    book.close()
    made.keep_table("groups", pd.DataFrame({"name": [name, "other"], "entry": [{"displayName": name}, {}]}))
    digest = hashlib.sha256((made.folder / "snapshots/groups-x.json").read_bytes()).hexdigest()
    assert leaks.judged(made, KNOWN.values(), ("applied", "")) == ("applied", "")
    assert {place["kind"] for place in made.run()["masked"]} == {kind}
    assert all(leaks.find(path.read_bytes(), Needles(())) == [] for path in leaks.files(made.folder))
    lines = journal.read(made.folder)
    assert [line.event for line in lines] == ["plan", "intent", "seal"]
    assert json.loads(lines[1].fields["body"]) == {"displayName": redacted(name), "id": "stays"}
    assert list(made.table("groups")["name"]) == [redacted(name), "other"]
    for expected in ("", digest):
        assert json.loads(leaks.original(made, "snapshots/groups-x.json", expected))["value"] == [{"name": name}]


def test_a_secret_of_this_run_in_a_journal_is_a_leak_and_leaves_the_journal(tmp_path):
    made = written(tmp_path, {})
    book = Journal(made.folder, Locks(tmp_path / "locks"), lambda: datetime.now(UTC))
    book.note("intent", method="PATCH", path="/x", body=KNOWN["client secret"])
    book.close()
    assert leaks.judged(made, KNOWN.values(), ("applied", ""))[0] == "leaked"
    assert [line.fields["body"] for line in journal.read(made.folder)] == ["[a secret of this run, removed]"]
    assert "originals" not in made.run()


def test_run_json_itself_is_mended(tmp_path):
    made = written(tmp_path, {})
    made.update(who={"aws": KNOWN["aws secret key"]})
    assert leaks.judged(made, KNOWN.values(), ("done", ""))[0] == "leaked"
    assert made.run()["who"] == {"aws": "[a secret of this run, removed]"}


def test_what_was_sent_is_still_told_when_the_record_leaked(tmp_path):
    """A leak must not hide that a plan went through, or half of it."""
    made = written(tmp_path, {"note.json": json.dumps(KNOWN["client secret"]).encode()})
    verdict, problem = leaks.judged(made, KNOWN.values(), ("failed", "Stopped at the first refusal."))
    assert verdict == "leaked"
    assert problem.endswith("Otherwise the run is failed. Stopped at the first refusal.")


def test_clean_record_stays_as_it_is(tmp_path):
    made = written(tmp_path, {"note.json": b"{}"})
    before = made.digests()
    assert leaks.judged(made, KNOWN.values(), ("done", "")) == ("done", "")
    assert made.digests() == before
    assert not (tmp_path / "runs/.quarantine").exists()


# --- what a process holds ---


def test_environment_tells_its_secrets_by_name(tmp_path):
    file = tmp_path / "token"
    file.write_text("a-federated-token-of-the-platform\n")
    environment = {
        "AZURE_CLIENT_SECRET": "a-client-secret-9", "AWS_SECRET_ACCESS_KEY": "an-aws-key-123", "AWS_SESSION_TOKEN": "a-session-1", "IDENTITY_HEADER": "an-identity-header-1",
        "AZURE_CLIENT_CERTIFICATE_PASSWORD": "a-passphrase-1", "HTTPS_PROXY": "http://me:proxy-passw%2Frd@proxy:8080", "AZURE_FEDERATED_TOKEN_FILE": str(file),
        "AZURE_CLIENT_CERTIFICATE_PATH": str(file), "AWS_PROFILE": "production-hub", "AWS_CREDENTIAL_EXPIRATION": "2026-11-24T08:00:00Z", "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/at all",
        "AZURE_TENANT_ID": str(uuid.uuid4()), "ACTIONS_ID_TOKEN_REQUEST_URL": "https://token.actions.example/x", "PATH": "/usr/bin:/usr/local/bin", "SHORT_TOKEN": "abc", "PWD": "/srv/awsfed-of-ours", "OLDPWD": "/home/somebody/x", "TOKEN_FOLDER": str(tmp_path),
    }  # fmt: skip
    assert held.of_environment(environment) == {
        "a-client-secret-9", "an-aws-key-123", "a-session-1", "an-identity-header-1", "a-passphrase-1", "proxy-passw/rd", "a-federated-token-of-the-platform", "/nowhere/at all",
    }  # fmt: skip


def test_what_is_held_shows_itself_to_nobody():
    own = held.Held()
    own.add(["a-secret-to-hold-1", "-----BEGIN PRIVATE KEY-----\nQUJDREVGR0hJSktM\nTU5PUFFS\n-----END PRIVATE KEY-----\n", "short"])
    assert own.values == {"a-secret-to-hold-1", "QUJDREVGR0hJSktMTU5PUFFS"}  # noqa: PD011  no frame
    assert "a-secret" not in f"{own!r} {own!s} {own}"
    with pytest.raises(TypeError):
        own.__reduce_ex__(2)


def test_outlet_cleans_every_text_of_a_message():
    cleaner = outlet.Cleaner(lambda: frozenset({KNOWN["client secret"]}))
    said = {
        "data": {"text/plain": KNOWN["client secret"], "list": ["fine", {KNOWN["client secret"]: 1}]},
        "n": 1,
        "t": IN_TEXT["a token (JWT)"],
    }
    assert cleaner.value(said) == {
        "data": {"text/plain": "[a secret of this run, removed]", "list": ["fine", {"[a secret of this run, removed]": 1}]},
        "n": 1,
        "t": "[a token (JWT), removed]",
    }
    assert cleaner.text("half \ud800 a pair") == "half \ud800 a pair"


# --- through real kernels ---

CANARY = "Zq7-not.of-any~form/9+kW"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = make(tmp_path_factory.mktemp("root"))
        patch.setenv(where.ROOT_VARIABLE, str(folder))
        patch.setenv("AZURE_CLIENT_SECRET", CANARY)
        patch.delenv(opening.FOLDER_VARIABLE, raising=False)
        yield folder


def assert_clean(folder, secrets, *but):
    for path in leaks.files(folder):
        if path.name not in but:
            assert leaks.find(path.read_bytes(), Needles(secrets)) == [], path


def of_a_user():
    """The environment of somebody's terminal: in one of pytest, ipykernel leaves what is written past the streams alone."""
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


@pytest.fixture
def keepers(monkeypatch):
    """Collect who kept the notebooks of runs: they know what the kernel held."""
    seen = []
    monkeypatch.setattr(keeper.RecordKeeper, "started", lambda self, *_: seen.append(self) if self not in seen else None)
    return seen


@pytest.mark.kernel
def test_run_that_writes_a_secret_has_leaked_and_its_record_holds_none(root, capfd):
    log = io.StringIO()
    result = runner.execute(runner.Task(runbooks.find("22"), parameter_file.load(root / "parameters/p.yml")), out=log)
    assert (result.verdict, result.code) == ("leaked", 1)
    assert "note.json" in result.problem
    assert "tables/roles.csv" in result.problem
    assert_clean(root / "runs" / result.record.folder.name, [CANARY])
    assert leaks.find(log.getvalue().encode(), Needles([CANARY])) == []
    assert "by a process" in log.getvalue()
    assert CANARY not in "".join(capfd.readouterr()), "the kernel has the terminal of its runner"
    assert json.loads((result.record.folder / "note.json").read_bytes())["kept"] == "as it is"
    assert result.record.changed() == []
    assert {path.stat().st_mode & 0o777 for path in leaks.files(result.record.folder)} == {0o600}
    page = (result.record.folder / "record.html").read_text()
    assert "✕ leaked" in page
    outputs = [output for cell in nbformat.read(result.record.folder / "record.ipynb", 4).cells for output in cell.get("outputs", [])]
    assert sum("a secret of this run, removed" in json.dumps(output) for output in outputs) >= 6


@pytest.mark.kernel
def test_plain_papermill_fails_and_saves_no_secret_not_even_of_a_widget(root, tmp_path):
    """ipywidgets keep what was typed in the notebook's metadata (github.com/jupyter-widgets/ipywidgets issues 1747, 1793)."""
    out = tmp_path / "out.ipynb"
    package = {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path / "ipython")}
    command = [
        sys.executable,
        "-m",
        "papermill",
        "--no-progress-bar",
        "-k",
        "python3",
        str(root / "notebooks/22-leaks.ipynb"),
        str(out),
        "-r",
        "tenant_id",
        str(uuid.UUID(int=7)),
    ]
    told = subprocess.run(command, cwd=root / "notebooks", env={**of_a_user(), **package}, capture_output=True, text=True, check=False)
    assert told.returncode != 0
    assert "RecordError" in told.stderr
    assert "typed" in out.read_text()
    assert leaks.find(out.read_bytes() + told.stderr.encode() + told.stdout.encode(), Needles([CANARY])) == []
    folder = max((root / "runs").glob("*-22-leaks-00000000*"))
    assert json.loads((folder / "run.json").read_bytes())["verdict"] == "leaked"
    assert_clean(folder, [CANARY])


@pytest.mark.kernel
def test_front_end_of_jupyterlab_gets_no_secret_in_any_message(root, tmp_path):
    """What JupyterLab's server passes on to the browser and saves: every message of a kernel that may ask questions."""
    from jupyter_client.manager import start_new_kernel

    variables = {**of_a_user(), "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path / "ipython")}
    manager, client = start_new_kernel(kernel_name="python3", env=variables, cwd=str(root / "notebooks"))
    try:
        cells = [cell for cell in nbformat.read(root / "notebooks/22-leaks.ipynb", 4).cells if cell.cell_type == "code"]
        cells[0].source = cells[0].source.replace('tenant_id: str = ""', f'tenant_id: str = "{uuid.UUID(int=8)}"')
        said = []
        replies = [client.execute_interactive(cell.source, allow_stdin=True, output_hook=said.append, timeout=60) for cell in cells]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert {"stream", "display_data", "execute_result", "error", "comm_open"} <= {message["msg_type"] for message in said}
    assert outlet.HELD not in {message["msg_type"] for message in said}
    assert replies[-1]["content"]["ename"] == "RecordError"
    assert leaks.find(json.dumps([said, replies], default=str).encode(), Needles([CANARY])) == []


@pytest.mark.kernel
def test_loggers_of_msal_urllib3_and_botocore_tell_no_secret(root, keepers):
    """With everything at DEBUG botocore logs the body of AssumeRole, http.client the Authorization header, MSAL its requests.

    And a cell may print the cache of MSAL, the private key in its client, and the credentials of botocore.
    """
    log = io.StringIO()
    with Sandbox(root / ".sandbox", Size(1, 3)):
        file = parameter_file.load(ROOT / "parameters/sandbox.yml")
        result = runner.execute(runner.Task(runbooks.find("23"), file), out=log)
    assert (result.verdict, result.problem) == ("done", "")
    known = keepers[0].secrets
    assert len(known) >= 5  # a token, the private key, the key of the hub, and key and token of each account
    assert_clean(result.record.folder, known)
    assert leaks.find(log.getvalue().encode(), Needles(known)) == []
    text = (result.record.folder / "record.ipynb").read_text()
    assert "botocore" in text
    assert "urllib3" in text
    assert "Authorization" in text
    assert text.count("removed]") > 3


def test_rules_are_searched_only_where_their_signs_are():
    for rule in secrecy.ANYWHERE:
        shown = [text for text in IN_TEXT.values() if rule.form.search(text)]
        assert all(rule.places(text) for text in shown)


def test_notebook_written_by_hand_is_searched_too(tmp_path):
    book = v4.new_notebook(
        cells=[
            v4.new_markdown_cell(f"![x](attachment:x) {IN_TEXT['an AWS access key']}"),
            v4.new_code_cell(f'secret = "{KNOWN["client secret"]}"'),
        ]
    )
    made = written(tmp_path, {"record.ipynb": nbformat.writes(book).encode()})
    assert {leak.kind for leak in leaks.sweep(made, KNOWN.values())} == {"an AWS access key", "a secret of this run"}
    nbformat.validate(nbformat.read(made.folder / "record.ipynb", 4))


def test_page_about_secrets_says_what_is_tested():
    page = (ROOT / "docs/secrets.md").read_text()
    named = re.findall(r"`((?:tests|edges)/[\w/]+\.py)`", page)
    assert len(named) > 8
    assert all((ROOT / name).exists() or (ROOT / "awsfed_lib" / name).exists() for name in named)
    figures = (
        f"{len(KNOWN)} secrets in {len(ENCODED)} forms",
        f"{len(IN_TEXT)} kinds in 6 surroundings",
        f"{len(list(innocent())):,} GUIDs",
    )
    assert all(figure in page for figure in figures), figures
