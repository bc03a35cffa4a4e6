"""07-signin against the sandbox: the static proof against the twin's own judgement, real responses, real sessions, real kernels."""

import json
import pickle
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import requests
from target import Target, served

from awsfed_lib.core.errors import ParameterError, SignInError, WriteForbidden
from awsfed_lib.core.saml import signin
from awsfed_lib.edges import signin as ours
from awsfed_lib.edges.amazon import saml_sessions
from awsfed_lib.edges.amazon.aws import Organization, inventory, providers
from awsfed_lib.edges.entra.auth import SignIn, sign_in
from awsfed_lib.edges.entra.graph import Graph
from awsfed_lib.edges.records import held, response_entry, where
from awsfed_lib.sandbox import saml
from awsfed_lib.sandbox.serve import Size


class Read:
    """A running sandbox and everything that 07-signin reads of it."""

    def __init__(self, box, partition):
        self.box, self.partition, self.application_id = box, partition, box.world["tenant"]["main"]
        self.organization = Organization(
            via="awsfed-audit", external_id="awsfed-sandbox", cloud="sandbox", workers=4, partition=partition, pauses=()
        )
        self.again()

    def again(self):
        client = next(one["appId"] for one in self.box.world["tenant"]["clients"] if one["name"] == "reader")
        session = sign_in(SignIn("sandbox", self.box.tenant.id, client, "certificate"))
        graph = Graph.reading(session)
        self.signer = ours.signer(graph, session, self.application_id, now=datetime.now(UTC))
        self.assigned = graph.assignments(self.application_id)
        groups, members = ours.membership(graph, self.assigned, self.signer)
        accounts, roles = inventory(self.organization, provider="", recipients=self.signer.default_recipient)
        self.evidence = ours.Evidence(graph.app_roles(self.application_id), self.assigned, members, groups, roles, accounts)
        self.keys = self.signer.keys(*providers(self.organization))
        self.paths = ours.proof(self.evidence, self.keys)

    def response_of(self, user_id):
        recipient = self.box.org.cloud.place.recipient
        return saml.response(self.box.tenant, self.application_id, user_id, recipient=recipient, now=datetime.now(UTC))

    def user_of(self, name):
        return next(key for key, user in self.box.tenant.tables["users"].items() if user["userPrincipalName"] == name)

    def some(self):
        """Somebody who gets in through a group."""
        groups = set(self.assigned[self.assigned.principal_type == "Group"].principal_name)
        works = self.paths[(self.paths.verdict == "works") & self.paths.principal.isin(groups)]
        return self.user_of(works.people.iloc[0].split("; ")[0])


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    with served(tmp_path_factory.mktemp("root"), Size(accounts=12)) as box:
        yield Read(box, "aws")


def disagreements(read):
    """People about whom the proof and the twin's own judgement of a real response differ; what is not known or depends is not judged."""
    for path in read.paths[read.paths.verdict.isin(("works", "console only", "broken")) & (read.paths.people != "")].itertuples():
        for person in path.people.split("; "):
            truth = read.box.can_sign_in(read.user_of(person), path.role_arn)
            if truth[0] != (path.verdict != "broken"):
                yield person, path.principal, path.role_arn, path.verdict, path.cause, truth


def test_the_proof_agrees_with_a_real_response_on_every_path(read):
    assert list(disagreements(read)) == []
    assert {"works", "broken", "unknown"} <= set(read.paths.verdict)


def test_a_real_response_passes_and_real_sessions_are_opened(read):
    given = response_entry.Given(read.response_of(read.some()))
    checked = ours.check(given, read.signer.expected(read.evidence, "aws"), datetime.now(UTC))
    assert [row for row in checked.rows if row["verdict"] != "passed"] == []
    sessions = ours.enter(read.organization, given, checked, ["*"])
    assert set(sessions.verdict) <= {"entered", "refused"}
    entered = sessions[sessions.verdict == "entered"]
    assert all(":assumed-role/" in arn for arn in entered.session)
    said = ours.proven(read.application_id, checked, sessions)
    assert said["thumbprint"] == read.signer.signs[0]
    assert said["roles"] == sorted(entered.role_arn)
    assert not given.text()


def test_sessions_of_the_proof_are_those_that_aws_opens(read):
    """Paths that work are entered, and broken ones are refused, with cause and cure."""
    user = read.some()
    given = response_entry.Given(read.response_of(user))
    checked = ours.check(given, read.signer.expected(read.evidence, "aws"), datetime.now(UTC))
    sessions = ours.enter(read.organization, given, checked, ["*"]).set_index("role_arn")
    name = read.box.tenant.tables["users"][user]["userPrincipalName"]
    mine = read.paths[read.paths.people.str.split("; ").apply(lambda people: name in people)]
    verdicts = mine.groupby("role_arn")["verdict"].agg(set)
    for arn, row in sessions.iterrows():
        known = verdicts.get(arn, {"unknown"})
        if "works" in known:
            assert row.verdict == "entered", arn
        if known == {"broken"}:
            assert row.verdict == "refused", arn
            assert row.cause, row.message
            assert row.remedy


def test_no_response_is_no_failure(read):
    given = ours.given("")
    checked = ours.check(given, read.signer.expected(read.evidence, "aws"), datetime.now(UTC))
    assert [row["verdict"] for row in checked.rows] == ["not checked"]
    sessions = ours.enter(read.organization, given, checked, ["*"])
    assert sessions.empty
    assert ours.proven("a", checked, sessions)["roles"] == []


def test_nothing_is_proven_by_a_response_that_another_certificate_signed(read):
    checked = signin.Checked((), (), None)
    sessions = saml_sessions.frame(saml_sessions.SESSIONS, [{"role_arn": "arn:x", "verdict": "entered"}])
    assert ours.proven("a", checked, sessions) == {"application_id": "a", "thumbprint": "", "issued": "", "roles": []}


def test_the_client_that_enters_can_do_nothing_else(read):
    client = saml_sessions._client(read.organization, saml_sessions.session_for("sandbox"))
    with pytest.raises((WriteForbidden, SignInError)):
        client.get_caller_identity()


def test_what_aws_says_is_kept_without_the_response():
    said = saml_sessions._said("ValidationError: Value 'SECRETSECRET' at 'sAMLAssertion' is wrong", "SECRETSECRET")
    assert "SECRET" not in str(said)


# --- how the response comes in -------------------------------------------------------------------------------------------


def put(text, mode=0o600, name="r.txt"):
    folder = where.runs() / response_entry.FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / name
    file.write_text(text)
    file.chmod(mode)
    return file


@pytest.mark.usefixtures("read")
def test_a_file_that_others_can_read_is_refused():
    put("x", 0o640)
    with pytest.raises(ParameterError, match="Others can read"):
        ours.given("r.txt")


@pytest.mark.usefixtures("read")
@pytest.mark.parametrize("name", ["../r.txt", "/etc/passwd", "none.txt"])
def test_only_files_of_that_folder_are_read(name):
    with pytest.raises(ParameterError):
        ours.given(name)


@pytest.mark.usefixtures("read")
def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    outside = tmp_path / "x"
    outside.write_text("x")
    link = put("x").with_name("link.txt")
    link.unlink(missing_ok=True)
    link.symlink_to(outside)
    with pytest.raises(ParameterError):
        ours.given("link.txt")


def test_a_response_shows_nothing_and_is_held_as_a_secret():
    text = "PHNhbWxSECRET000" * 5
    given = response_entry.Given(text)
    assert given.text() == text
    assert text in held.held()
    assert "SECRET" not in repr(given) + str(given._repr_mimebundle_())
    with pytest.raises(TypeError):
        pickle.dumps(given)
    given.forget()
    assert given.text() == ""


@pytest.mark.parametrize("how", ["pasted", "uploaded"])
def test_what_a_person_enters_leaves_the_widgets_when_it_is_taken(monkeypatch, how):
    """JupyterLab can be set to save what widgets hold into the notebook (jupyterlab-manager, saveState)."""
    monkeypatch.setenv("AWSFED_HEADLESS", "0")
    entry = response_entry._entry()
    area, upload = entry.children
    given = response_entry.Given("", entry)
    assert given.text() == ""
    if how == "pasted":
        area.value = "UEhOaGJX\n"
    else:
        upload.set_trait(
            "value", ({"name": "r", "type": "", "size": 8, "content": memoryview(b"UEhOaGJX"), "last_modified": datetime.now(UTC)},)
        )
    assert given.text() == "UEhOaGJX"
    assert (area.value, upload.value) == ("", ())
    assert "UEhOaGJX" not in json.dumps(entry.get_state(), default=str) + json.dumps(area.get_state(), default=str)
    assert given.text() == "UEhOaGJX"


# --- the links that need the application -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"accountEnabled": False}, "AADSTS7000112"),
        ({"preferredSingleSignOnMode": "password"}, "its mode is password"),
        ({"replyUrls": []}, "no reply URL"),
    ],
)
def test_an_application_that_lets_nobody_in_breaks_every_path(read, change, words):
    signer = ours.signer.__globals__["Signer"](
        {**read.signer.service_principal, **change}, read.signer.metadata, read.signer.claims, read.signer.now
    )
    paths = ours.proof(read.evidence, signer.keys(read.keys.accounts, read.keys.providers))
    assert set(paths.verdict) == {"broken"}
    assert set(paths.link) <= {"application", "reply URL"}
    assert words in paths.cause[0]


def test_a_regional_reply_url_needs_trusts_that_accept_it(read):
    """SAML:aud is compared with the Recipient (reference_policies_iam-condition-keys): the default reply URL decides."""
    _, roles = inventory(read.organization, provider="", recipients=("https://eu-west-1.signin.aws.amazon.com/saml",))
    evidence = SimpleNamespace(**{**vars(read.evidence), "roles": roles})
    paths = ours.proof(ours.Evidence(**{name: getattr(evidence, name) for name in ours.Evidence.__dataclass_fields__}), read.keys)
    known = ["principal", "app_role_id", "people"]
    before = read.paths[read.paths.verdict == "works"][known]
    assert set(before.merge(paths, on=known).query("verdict == 'broken'").link) == {"trust"}


@pytest.mark.parametrize("partition", ["aws-us-gov", "aws-cn"])
def test_other_partitions(tmp_path, partition):
    """Endpoints and audiences differ, attribute names do not (IAM id_roles_providers_create_saml_assertions; aws-cn endpoint reference)."""
    with served(tmp_path, Size(accounts=5, partition=partition)) as box:
        read = Read(box, partition)
        assert list(disagreements(read)) == []
        given = response_entry.Given(read.response_of(read.some()))
        checked = ours.check(given, read.signer.expected(read.evidence, partition), datetime.now(UTC))
        assert [row for row in checked.rows if row["verdict"] != "passed"] == []
        assert "entered" in set(ours.enter(read.organization, given, checked, ["*"]).verdict)


# --- the runbook -----------------------------------------------------------------------------------------------------------


@pytest.mark.kernel
def test_the_runbook_proves_checks_enters_and_keeps_nothing_of_the_response(read):
    text = read.response_of(read.some())
    put(text)
    result = Target(where.root(), read.box).run("07", response_file="r.txt", enter_roles=["*"], message="AADSTS50105: not assigned")
    assert (result.verdict, result.code) == ("done", 0), result.problem
    folder = result.record.folder
    assert json.loads((folder / "sign_in.json").read_bytes())["roles"]
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert text.encode() not in content
        assert text[100:160].encode() not in content
        assert b"SignatureValue" not in content
        assert b"ASIA" not in content, path


def test_the_sandbox_gives_a_response_to_whoever_asks(read):
    """What a person at JupyterLab has instead of My Apps and the developer tools of a browser."""
    url, ca = read.box.entra.url, str(read.box.own / "ca.pem")
    with requests.Session() as http:
        http.trust_env = False
        answer = http.post(f"{url}/sandbox/saml-response", json={"user": read.some()}, verify=ca)
        checked = ours.check(
            response_entry.Given(answer.json()["saml_response"]), read.signer.expected(read.evidence, "aws"), datetime.now(UTC)
        )
        assert checked.works
        assert http.post(f"{url}/sandbox/saml-response", json={"user": "nobody"}, verify=ca).status_code == 400
