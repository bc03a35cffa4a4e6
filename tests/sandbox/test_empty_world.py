"""The world before federation: what Microsoft's tutorial asks for before its first step, and nothing of what it makes."""

import hashlib
import json
import subprocess
import sys

import entra_sample as sample
import pytest
import requests

from awsfed_lib.sandbox.org import world
from awsfed_lib.sandbox.serve import Sandbox, Size


@pytest.fixture(scope="module")
def made():
    return world(7, kind="empty")


def test_the_same_seed_gives_the_same_bytes_in_another_process(made):
    program = (
        "import hashlib, json; from awsfed_lib.sandbox.org import world; "
        "print(hashlib.sha256(json.dumps(world(7, kind='empty')).encode()).hexdigest())"
    )
    found = subprocess.run([sys.executable, "-c", program], env={"PYTHONHASHSEED": "99"}, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == hashlib.sha256(json.dumps(made).encode()).hexdigest()


def test_the_tenant_has_people_and_licences_and_no_application(made):
    tenant = made["tenant"]
    assert (tenant["applications"], tenant["servicePrincipals"], tenant["assignments"], tenant["main"]) == ([], [], [], "")
    assert tenant["users"][0]["displayName"] == "Britta Simon"
    assert tenant["subscribedSkus"][0]["skuPartNumber"] == "AAD_PREMIUM"


def test_no_account_has_a_provider_or_a_federated_role(made):
    accounts = made["org"]["accounts"]
    assert not [one["id"] for one in accounts if one["providers"]]
    assert "Federated" not in json.dumps([role["trust"] for one in accounts for role in one["roles"]])


def test_every_account_can_be_reached_through_awsfeds_own_roles(made):
    accounts = made["org"]["accounts"]
    assert {(one["state"], one["reach"]) for one in accounts} == {("ACTIVE", "ok")}
    assert all({"awsfed-audit", "awsfed-writer"} <= {role["name"] for role in one["roles"]} for one in accounts)


@pytest.mark.parametrize("size", [3, 24, 250])
def test_names_and_slugs_are_unique(size):
    """Role and group names are made from account names; the other world is for the conflicts."""
    names = [one["name"] for one in world(7, size, kind="empty")["org"]["accounts"]]
    assert len({name.lower().replace(" ", "-") for name in names}) == size


def test_one_parameter_file_fits_both_worlds(made):
    """Tenant, clients, people and account ids are those of the other world of the same seed."""
    other = world(7)
    for part in ("id", "domain", "clients", "users"):
        assert made["tenant"][part] == other["tenant"][part]
    assert [one["id"] for one in made["org"]["accounts"]] == [one["id"] for one in other["org"]["accounts"]]
    assert (made["org"]["management"], made["org"]["hub"]) == (other["org"]["management"], other["org"]["hub"])


def test_leading_zeros_are_there_too(made):
    assert [one for one in made["org"]["accounts"] if one["id"].startswith("0")]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with Sandbox(tmp_path_factory.mktemp("empty"), Size(7, 4, world="empty")) as served:
        yield served


def test_it_is_described_as_the_other_world_is(sandbox, tmp_path):
    described = json.loads(sandbox.file.read_text())
    with Sandbox(tmp_path, Size(7, 4)) as other:
        known = json.loads(other.file.read_text())
    assert described.keys() == known.keys()
    assert (described["application_id"], described["tenant_id"]) == ("", known["tenant_id"])


def test_nobody_can_sign_in_and_the_reason_says_so(sandbox):
    about = sandbox.world["demo"]
    assert sandbox.can_sign_in(about["user"], about["role_arn"]) == (False, "The tenant has no application for AWS.")


def test_an_application_can_be_added_over_https(sandbox):
    """The first step of the tutorial, by the writer, with a real token."""
    from awsfed_lib.sandbox.entra import issuing

    writer = next(one["appId"] for one in sandbox.world["tenant"]["clients"] if one["name"] == "writer")
    token = issuing.for_application(sandbox.tenant, sandbox.tenant.client_credentials(writer), "https://graph.microsoft.com")
    with requests.Session() as http:
        http.trust_env, http.verify = False, str(sandbox.own / "ca.pem")
        http.headers["Authorization"] = f"Bearer {token['access_token']}"
        made = http.post(
            f"{sandbox.entra.url}/v1.0/applicationTemplates/{sample.TEMPLATE}/instantiate", json={"displayName": "AWS"}, timeout=10
        ).json()
    assert sandbox.application_id == made["servicePrincipal"]["id"]
    reached, why = sandbox.can_sign_in(sandbox.world["demo"]["user"], sandbox.world["demo"]["role_arn"])
    assert (reached, why[:11]) == (False, "AADSTS65005")
