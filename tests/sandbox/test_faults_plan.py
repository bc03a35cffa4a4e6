"""Plans of faults: which request meets which, over HTTP as in process, and the list of what came about."""

import json
from pathlib import Path

import pytest
import raw
import requests
from werkzeug.test import Client

from awsfed_lib.sandbox.faults.injector import PATH, Injector, aws_faults
from awsfed_lib.sandbox.faults.plan import Faults
from awsfed_lib.sandbox.serve import Sandbox, Size


@pytest.fixture
def over_http(twin):
    """/sandbox/faults, as another process would use it."""

    def ask(method, body=None):
        session = requests.Session()
        session.trust_env = False
        answer = session.request(method, twin.url + PATH, json=body, verify=str(twin.folder / "ca.pem"), timeout=5)
        return answer.status_code, answer.json()

    yield ask
    twin.faults.clear()


def planned(*content):
    faults = Faults({"f": None, "nc": None, "429": None})
    faults.plan(*content)
    return faults


def test_a_rule_takes_the_nth_match_and_as_many_as_it_says():
    faults = planned({"mode": "nc", "match": "^PATCH /a", "nth": 2, "times": 2})
    lines = ["PATCH /a", "GET /a", "PATCH /a/1", "PATCH /b", "PATCH /a", "PATCH /a"]
    assert [faults.take(line) for line in lines] == ["", "", "nc", "", "nc", ""]
    assert [(one["number"], one["mode"], one["request"]) for one in faults.fired] == [(3, "nc", "PATCH /a/1"), (5, "nc", "PATCH /a")]


def test_the_first_rule_wins_and_all_of_them_count():
    faults = planned({"mode": "nc", "nth": 2}, {"mode": "429", "nth": 1, "times": 3})
    assert [faults.take("GET /") for _ in range(4)] == ["429", "nc", "429", ""]


def test_one_seed_draws_one_sequence_and_another_another():
    def drawn(seed):
        faults = planned({"seed": seed, "rate": 0.3, "modes": ["nc", "429"], "match": "GET"})
        return [faults.take("GET /") for _ in range(60)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 5 < len([mode for mode in drawn(1) if mode]) < 35
    assert set(drawn(1)) == {"", "nc", "429"}


def test_chances_end_after_their_number_of_times():
    faults = planned({"seed": 1, "rate": 1, "modes": ["nc"], "times": 2})
    assert [faults.take("GET /") for _ in range(4)] == ["nc", "nc", "", ""]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"mode": "nx"}, "There is no fault 'nx'"),
        ({"mode": "nc", "nth": 0}, "whole numbers from 1"),
        ({"mode": "nc", "nht": 1}, "nht"),
        ({"mode": "nc", "match": "("}, "is no fault"),
        ({"seed": 1, "rate": 2, "modes": ["nc"]}, "between 0 and 1"),
        ({"seed": 1, "rate": 0.5, "modes": []}, "between 0 and 1"),
        ("nc", "A fault is an object"),
    ],
)
def test_a_wrong_plan_is_refused_and_the_one_before_stays(wrong, words):
    faults = planned({"mode": "nc"})
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        faults.plan(wrong)
    assert faults.take("GET /") == "nc"


def test_post_plans_get_tells_and_delete_ends(twin, over_http):
    assert over_http("POST", [{"mode": "503", "match": "GET /v1.0/organization"}])[0] == 200
    assert raw.ask(twin.url, raw.text("GET", "/v1.0/organization"), ca_file=str(twin.folder / "ca.pem")).status == 503
    status, state = over_http("GET")
    assert (status, [one["mode"] for one in state["fired"]]) == (200, ["503"])
    assert state["plan"] == [{"mode": "503", "match": "GET /v1.0/organization", "nth": 1, "times": 1, "seen": 1}]
    assert {"nqa", "429-date", "editor-assigns", "items-lost"} <= set(state["modes"])
    assert over_http("DELETE")[1]["fired"] == []
    assert over_http("POST", {"mode": "nx"}) == (
        400,
        {"problem": f"There is no fault 'nx'; there are {', '.join(sorted(twin.faults.modes))}."},
    )


def test_the_sandboxs_own_paths_meet_no_faults(twin, over_http):
    twin.faults.plan({"mode": "na", "times": 100})
    assert over_http("GET")[0] == 200


def test_a_reset_of_the_sandbox_takes_the_faults_along(tmp_path):
    with Sandbox(tmp_path, Size(accounts=6)) as sandbox:
        sandbox.entra_faults.plan({"mode": "503", "times": 9})
        session = requests.Session()
        session.trust_env, session.verify = False, json.loads((tmp_path / "sandbox.json").read_text())["ca_file"]
        assert session.get(f"{sandbox.entra.url}/v1.0/users", timeout=5).status_code == 503
        session.post(f"{sandbox.entra.url}/sandbox/reset", timeout=5)
        assert sandbox.entra_faults.fired == []
        assert session.get(f"{sandbox.entra.url}/v1.0/users", timeout=5).status_code == 401


def test_the_aws_side_has_its_own_plan_and_words(tmp_path):
    with Sandbox(tmp_path, Size(accounts=6)) as sandbox:
        sandbox.aws_faults.plan({"mode": "throttling"}, {"mode": "nc", "nth": 2})
        body = b"Action=GetCallerIdentity&Version=2011-06-15"
        heard = raw.ask(sandbox.aws.url, raw.text("POST", "/", body))
        assert heard.status == 400
        assert b"<Code>Throttling</Code>" in heard.content
        assert raw.ask(sandbox.aws.url, raw.text("POST", "/", body)).ending == "fin"
        assert json.loads(raw.ask(sandbox.aws.url, raw.text("GET", PATH)).content)["requests"] == 2
    assert {"nqa", "503-applied", "expired"} <= set(aws_faults().modes)


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Host": "rebound.example"}, "not as rebound.example"),
        ({"Origin": "https://page.example", "Content-Type": "application/json"}, "not controlled from https://page.example"),
        ({"Origin": "null", "Content-Type": "application/json"}, "not controlled from null"),
        ({"Content-Type": "text/plain"}, "must come as application/json"),
    ],
)
def test_a_web_page_cannot_control_the_sandbox(headers, words):
    """Cross-origin posts that browsers send unasked, and names that lead to loopback (DNS rebinding)."""
    reached = []

    def app(environ, start):
        reached.append(environ["PATH_INFO"])
        start("204 No Content", [])
        return []

    client = Client(Injector(app, aws_faults()))
    for path in ("/sandbox/switches", "/sandbox/faults"):
        answer = client.post(path, data="[]", headers=headers)
        assert (answer.status_code, words in answer.json["problem"], reached) == (403, True, [])
    own = client.post("/sandbox/switches", json={"strict": True}, headers={"Origin": "http://localhost"})
    assert (own.status_code, len(reached)) == (204, 1)


def test_an_expired_page_is_a_fault_of_further_pages_only(twin):
    """AzureHound#189: a list that takes long is forgotten between two pages; who begins again reads it whole."""
    twin.faults.plan({"mode": "expired-page", "match": "skiptoken"})
    found = twin.reading().read("/users?$top=5")
    assert len(found) == len(twin.tenant.tables["users"])
    codes = [status for _, path, status in twin.asked if path.startswith("/v1.0/users")]
    assert [one["mode"] for one in twin.faults.fired] == ["expired-page"]
    assert codes.count(200) > len(found) / 5
    twin.faults.clear()


def test_two_sandboxes_in_one_folder_leave_each_other_alone(tmp_path):
    described = tmp_path / "sandbox.json"
    with Sandbox(tmp_path, Size(accounts=3)) as first:
        own = described.read_bytes()
        with Sandbox(tmp_path, Size(accounts=3)) as second:
            files = [json.loads(text)["ca_file"] for text in (own, described.read_bytes())]
            assert all(Path(file).exists() for file in files)
            assert json.loads(described.read_bytes())["login_url"] == second.entra.url
        assert described.read_bytes() == own
        assert Path(json.loads(own)["clients"]["reader"]["certificate_file"]).exists()
        assert first.entra.url == json.loads(own)["login_url"]
    assert list(tmp_path.iterdir()) == []
    older, newer = Sandbox(tmp_path, Size(accounts=3)), Sandbox(tmp_path, Size(accounts=3))
    older.close()
    assert json.loads(described.read_bytes())["login_url"] == newer.entra.url
    newer.close()
    assert list(tmp_path.iterdir()) == []
