"""What comes from outside and is not what it seems: half characters, links to elsewhere, names that lead out, XML that defines entities."""

import base64
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import scripted
from saml_made import made
from scripted import Says
from small_root import make
from test_organization import canned, select

from awsfed_lib.core.errors import DocumentError, ParameterError, RecordError, SignInError, UnreadError
from awsfed_lib.core.saml import metadata, saml_response
from awsfed_lib.doors import runner
from awsfed_lib.edges.amazon.organization import accounts
from awsfed_lib.edges.entra.auth import SignIn, Surroundings, sign_in
from awsfed_lib.edges.entra.graph import Graph
from awsfed_lib.edges.records import parameter_file, record, runbooks, where

PACKAGE = Path(__file__).parents[1] / "awsfed_lib"
GROUP = {"id": "1f0c7f3a-1234-4abc-9def-1234567890ab", "displayName": "AWS-1-Admin", "securityEnabled": True}


# --- half a surrogate pair: it has no UTF-8, so a plan that held it could be neither hashed nor sent ---


@pytest.mark.parametrize("half", ["\\ud800", "\\uDFFF", "x\\ud83dx"])
@pytest.mark.parametrize("read", ["groups", "assignments", "application"])
def test_answer_of_graph_with_half_a_character_is_unread(server, half, read):
    answer = {**GROUP, "value": [GROUP], "responses": [{"id": "0", "status": 200, "body": GROUP}]}
    text = json.dumps(answer).replace("AWS-1-Admin", half)
    server.play(Says(200, text.encode()))
    graph = Graph.reading(server.session())
    asked = {
        "groups": lambda: graph.groups(ids=[GROUP["id"]]),
        "assignments": lambda: graph.assignments(GROUP["id"]),
        "application": lambda: graph.application(GROUP["id"]),
    }
    with pytest.raises(UnreadError, match="no whole JSON object"):
        asked[read]()


def test_half_a_character_as_bytes_is_unread_too(server):
    """Python reads the three bytes of half a pair without complaint: json.loads decodes with surrogatepass."""
    server.play(Says(200, json.dumps(GROUP).encode().replace(b"AWS-1-Admin", b"\xed\xa0\x80")))
    with pytest.raises(UnreadError, match="no whole JSON object"):
        Graph.reading(server.session()).application(GROUP["id"])


def test_whole_pairs_are_read(server):
    server.play(Says(200, json.dumps({**GROUP, "displayName": "rocket \U0001f680 í 한"}).encode()))
    assert Graph.reading(server.session()).application(GROUP["id"]).name == "rocket \U0001f680 í 한"


def test_answer_of_aws_with_half_a_character_is_unread():
    """botocore reads the JSON of Organizations with json.loads, which takes the escape for a character."""

    def fault(asked):
        return (
            (200, b'{"Accounts": [{"Id": "000000000001", "Name": "\\ud800", "Status": "ACTIVE", "Arn": "a"}]}')
            if "ListAccounts" in str(asked)
            else None
        )

    with canned(1, fault) as hub, pytest.raises(UnreadError, match="half a character"):
        list(accounts(hub, select()))


# --- redirects ---


def test_redirect_of_the_machine_s_own_endpoint_is_not_followed(server, monkeypatch):
    """requests takes only Authorization out of a request that it sends elsewhere; Azure's secret is in X-IDENTITY-HEADER."""
    with scripted.serve_plain() as machine, scripted.serve_plain() as thief:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{machine.url}/token")
        monkeypatch.setenv("IDENTITY_HEADER", "canary-header")
        machine.play(Says(302, {}, {"Location": f"{thief.url}/token"}))
        thief.play(Says(200, {"access_token": "x", "expires_on": "9999999999", "resource": "r", "token_type": "Bearer"}))
        monkeypatch.setattr("awsfed_lib.edges.entra.clouds.named", lambda *_: server.cloud)
        with pytest.raises(SignInError):
            sign_in(SignIn("sandbox", scripted.TENANT, "", "managed-identity"), around=Surroundings())
    assert machine.asked
    assert thief.asked == []


# --- names ---


@pytest.mark.parametrize("name", ["NUL", "con.csv", "sub/COM1.csv", "aux/p.csv", "LPT\u00b9.csv", "p.csv.", "p.csv ", "CONIN$"])
def test_name_of_a_device_of_windows_is_refused(tmp_path, name):
    """There `nul.csv` reads as empty, and `p.csv.` is p.csv (learn.microsoft.com windows/win32/fileio/naming-a-file)."""
    with pytest.raises(ParameterError, match="is not a file below"):
        where.inside(tmp_path, name)


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/x",
        "a/../../x",
        "a\\b",
        "nul",
        "COM1.json",
        "x\x00",
        "x\n",
        "",
        ".hidden",
        "tables/../../x",
        "x" * 200,
        "röle",
        "a.",
        "~x",
    ],
)
def test_nothing_is_kept_outside_of_a_record(tmp_path, name):
    opened = record.create(tmp_path / "runs", "20261124T075100Z-x-y", {"runbook": "x"})
    for keep in (opened.keep_json, lambda given, _: opened.keep_text(given, "x"), lambda given, _: opened.keep_export(given, "x")):
        with pytest.raises(RecordError, match="is no name for a file"):
            keep(name, 1)
    assert [path.name for path in tmp_path.rglob("*.json")] == ["run.json"]


@pytest.mark.parametrize("text", ["../../x", "..", "a/b", "con", "\x00", "x" * 500, "\u202e", "NUL "])
def test_name_of_a_run_is_one_plain_part(text):
    name = record.name_of("04-approles", text, record.datetime(2026, 11, 24, tzinfo=record.UTC))
    assert name == Path(name).name
    assert name.isascii()
    assert name.isprintable()
    assert len(name) < 120
    assert not where.reserved(name)


def test_name_of_the_command_line_is_on_no_line_of_the_file(tmp_path, monkeypatch):
    root = make(tmp_path / "r")
    monkeypatch.setenv(where.ROOT_VARIABLE, str(root))
    file = parameter_file.load(root / "parameters/p.yml")
    with pytest.raises(ParameterError) as refused:
        runner.values(runner.Task(runbooks.find("20-plan"), file, {"workers": 0}))
    assert "- workers must be at least 1" in str(refused.value)
    assert "p.yml and the command line" in str(refused.value)
    with pytest.raises(ParameterError, match="line 3: workers"):
        runner.values(runner.Task(runbooks.find("20-plan"), replace(file, values={**file.values, "workers": 0})))


# --- XML ---

DTDS = {
    "internal": '<!DOCTYPE x [<!ENTITY a "b">]>',
    "external": '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
    "public": '<!DOCTYPE x PUBLIC "a" "https://a.example/b">',
    "entity": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    "parameter entity": '<!DOCTYPE x [<!ENTITY % a SYSTEM "https://a.example/b"> %a;]>',
    "bomb": "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;'>]>",
    "empty": "<!DOCTYPE x>",
}


@pytest.mark.parametrize("dtd", DTDS)
def test_no_reader_of_xml_takes_a_dtd(dtd):
    """lxml reads the file of an external entity; so everything is read by defusedxml first, with DTDs refused outright."""
    document = made().document
    with pytest.raises(DocumentError) as refused:
        metadata.read(document.replace("<EntityDescriptor", f"{DTDS[dtd]}<EntityDescriptor", 1))
    assert refused.value.reason == "dtd"
    response = f'{DTDS[dtd]}<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_1" Version="2.0"/>'
    with pytest.raises(DocumentError) as refused:
        saml_response.open_response(base64.b64encode(response.encode()).decode(), [])
    assert refused.value.reason == "dtd"


def test_xml_is_read_in_these_places_and_by_no_other_parser():
    """A new reader of XML belongs into the test above. signxml parses what was read, and refused, before; workbooks have tests of their own."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        if "sandbox" in path.parts:
            continue
        text = path.read_text()
        if re.search(
            r"\bfromstring\(|\bparseString\(|\biterparse\(|lxml|minidom|\bXMLParser|import expat|xml\.sax(?!utils|\.saxutils)", text
        ):
            found[path.stem] = text.count("fromstring(") == text.count("forbid_dtd=True")
    assert found == {"metadata": True, "saml_response": True, "workbook_parts": True}
