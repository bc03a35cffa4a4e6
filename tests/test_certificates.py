import base64
from copy import deepcopy
from datetime import timedelta

import pytest
from fake_service import FakeJournal
from federated_world import APPLICATION, NOW, OLD, Side, World
from saml_made import certificate, credentials

from awsfed_lib.core.certificate import certificate_plan, certificates
from awsfed_lib.core.errors import ParameterError, UnreadError, UnsafePlan

NEW = certificate("CN=AWS 2026", NOW - timedelta(days=1), 1095, serial=77)
AFTER = OLD.not_after + timedelta(days=1)
LOGIN_KEY = {"keyId": "login", "type": "AsymmetricX509Cert", "usage": "Verify", "customKeyIdentifier": "bG9naW4=", "key": NEW.base64}


def read(*certs, active=None, more=()):
    entry = credentials(*certs, active=active)
    entry["keyCredentials"] += more
    return certificates.read(entry)


def signs(*certs, active=None, now=NOW):
    return [one.name for one in certificates.signing(read(*certs, active=active), now)]


# --- reading -------------------------------------------------------------------------------------------------------------


def test_a_pair_of_key_credentials_is_one_certificate():
    (one,) = read(OLD, active=OLD)
    assert (one.thumbprint, one.name, one.is_active) == (OLD.thumbprint, "CN=AWS 2024", True)
    assert (one.not_before, one.not_after, one.certificate) == (OLD.not_before, OLD.not_after, OLD)


def test_the_sample_of_the_documentation_is_read():
    """graph/api/serviceprincipal-addtokensigningcertificate: customKeyIdentifier is the SHA-1 thumbprint in base64."""
    shared = {
        "customKeyIdentifier": "p9PEYmuKhP2oaMzGfSdNQC/9ChA=",
        "displayName": "CN=AWSContoso",
        "startDateTime": "2021-05-10T20:35:37.5754318Z",
        "endDateTime": "2024-01-25T00:00:00Z",
    }
    entry = {
        "keyCredentials": [
            shared | {"usage": "Sign", "type": "X509CertAndPassword", "keyId": "a", "key": None},
            shared | {"usage": "Verify", "type": "AsymmetricX509Cert", "keyId": "b", "key": "MIICqjCC…"},
        ],
        "preferredTokenSigningKeyThumbprint": "a7d3c4626b8a84fda868ccc67d274d402ffd0a10",
    }
    (one,) = certificates.read(entry)
    assert (one.thumbprint, one.is_active, one.certificate) == ("A7D3C4626B8A84FDA868CCC67D274D402FFD0A10", True, None)
    assert one.not_before.year == 2021


def test_keys_for_signing_in_and_encryption_are_none():
    encryption = LOGIN_KEY | {"keyId": "e", "usage": "Encrypt", "customKeyIdentifier": "ZW5j"}
    assert [one.name for one in read(OLD, more=[LOGIN_KEY, encryption])] == ["CN=AWS 2024"]


def test_an_uploaded_certificate_is_recognised_by_its_public_part():
    """Of one's own certificate customKeyIdentifier is a SHA-256 of text (graph/application-saml-sso-configure-api)."""
    entry = credentials(OLD, active=OLD)
    for one in entry["keyCredentials"]:
        one["customKeyIdentifier"] = base64.b64encode(b"s" * 32).decode()
    assert [one.thumbprint for one in certificates.read(entry)] == [OLD.thumbprint]
    entry["keyCredentials"][1]["key"] = None
    (blind,) = certificates.read(entry)
    assert (blind.thumbprint, blind.is_active) == ("", False)
    assert certificates.signing((blind,), NOW) == (blind,), "with nothing known to be active, it may be the one that signs"


@pytest.mark.parametrize("entry", [{}, {"keyCredentials": None}, {"id": "sp-1", "appId": "x"}])
def test_an_answer_without_credentials_is_unread(entry):
    """$select=keyCredentials is needed (graph/api/resources/keycredential); what was not asked for is not absent."""
    with pytest.raises(UnreadError):
        certificates.read(entry)


# --- what signs ----------------------------------------------------------------------------------------------------------


def test_the_active_certificate_signs_while_it_is_valid():
    assert signs(OLD, NEW, active=OLD) == ["CN=AWS 2024"]


def test_trap_an_expired_active_certificate_lets_a_valid_other_sign_at_once():
    """entra tutorial-manage-certificates-for-federated-single-sign-on."""
    assert signs(OLD, NEW, active=OLD, now=AFTER) == ["CN=AWS 2026"]


def test_an_expired_certificate_signs_on_while_it_is_alone():
    assert signs(OLD, active=OLD, now=AFTER) == ["CN=AWS 2024"]


def test_with_several_valid_others_it_is_not_known_which_signs():
    third = certificate("CN=AWS 2027", NOW, 1095, serial=78)
    assert signs(OLD, NEW, third, active=OLD, now=AFTER) == ["CN=AWS 2026", "CN=AWS 2027"]


def test_without_an_active_one_every_valid_one_may_sign():
    assert signs(OLD, NEW) == ["CN=AWS 2024", "CN=AWS 2026"]
    assert signs() == []


def test_the_timeline_says_what_follows():
    table = certificates.timeline(read(OLD, NEW, active=OLD), NOW)
    assert list(table["status"]) == ["signs", "inactive"]
    assert table["days_left"][0] == (OLD.not_after - NOW).days
    assert "Would sign at once" in table["note"][1]


def test_the_timeline_shows_the_trap():
    table = certificates.timeline(read(OLD, NEW, active=OLD), AFTER)
    assert list(table["status"]) == ["active", "signs"]
    assert "any valid other" in table["note"][0]
    assert "although it is not active" in table["note"][1]
    assert table["days_left"][0] < 0


# --- plans ---------------------------------------------------------------------------------------------------------------


def test_adding_sends_the_documented_body():
    plan = certificate_plan.add(APPLICATION, read(OLD, active=OLD), name="CN=AWS 2026", ends="2029-11-01T00:00:00Z")
    (request,) = plan.requests
    assert (request.method, request.path) == ("POST", "/servicePrincipals/sp-1/addTokenSigningCertificate")
    assert request.content == {"displayName": "CN=AWS 2026", "endDateTime": "2029-11-01T00:00:00Z"}
    assert not plan.refusals


def test_adding_without_an_end_leaves_it_to_entra():
    assert certificate_plan.add(APPLICATION, (), name="CN=x").requests[0].content == {"displayName": "CN=x"}


@pytest.mark.parametrize("name", ["AWS", "cn=AWS", "CN=", ""])
def test_the_name_must_begin_with_cn(name):
    with pytest.raises(ParameterError, match="CN="):
        certificate_plan.add(APPLICATION, (), name=name)


def test_a_lost_answer_makes_no_second_certificate():
    of = World({})
    side = Side(of, APPLICATION.realm)
    side.faults = {0: "lost"}
    plan = certificate_plan.add(APPLICATION, certificates.read(of.entry), name="CN=AWS 2026")
    outcome = plan.apply(side, approved=plan.id, journal=FakeJournal())
    assert (outcome.verdict, outcome.sent[0].fate) == ("applied", "adopted")
    assert of.names == ["CN=AWS 2024", "CN=AWS 2026"]


def test_activating_sends_the_thumbprint_only():
    live = read(OLD, NEW, active=OLD)
    (request,) = certificate_plan.activate(APPLICATION, live, live[1]).requests
    assert (request.method, request.content) == ("PATCH", {"preferredTokenSigningKeyThumbprint": NEW.thumbprint})


def entry_of_three():
    entry = credentials(OLD, NEW, active=NEW)
    entry["keyCredentials"].append(dict(LOGIN_KEY))
    entry["passwordCredentials"].append({"keyId": "secret", "customKeyIdentifier": None, "displayName": "client secret", "hint": "abc"})
    return entry


def test_removing_sends_everything_else_back_as_it_was_read():
    """PATCH replaces both collections (graph/api/serviceprincipal-update)."""
    entry = entry_of_three()
    old = [one for one in certificates.read(entry) if one.thumbprint == OLD.thumbprint]
    plan = certificate_plan.remove(APPLICATION, deepcopy(entry), old)
    (request,) = plan.requests
    ours = {f"sign-{OLD.thumbprint[:8]}", f"verify-{OLD.thumbprint[:8]}"}
    assert request.content == {
        "keyCredentials": [item for item in entry["keyCredentials"] if item["keyId"] not in ours],
        "passwordCredentials": [item for item in entry["passwordCredentials"] if item["keyId"] not in ours],
    }
    assert [change.action for change in plan.changes] == ["remove"]


def test_removing_finds_the_password_by_the_key_id_too():
    """Sign.keyId is the keyId of the password (graph/api/serviceprincipal-addtokensigningcertificate)."""
    entry = entry_of_three()
    for password in entry["passwordCredentials"]:
        password["customKeyIdentifier"] = None
    old = [one for one in certificates.read(entry) if one.thumbprint == OLD.thumbprint]
    left = certificate_plan.remove(APPLICATION, entry, old).requests[0].content["passwordCredentials"]
    assert [password["keyId"] for password in left] == [f"sign-{NEW.thumbprint[:8]}", "secret"]


def test_the_active_certificate_cannot_be_removed():
    entry = entry_of_three()
    new = [one for one in certificates.read(entry) if one.thumbprint == NEW.thumbprint]
    plan = certificate_plan.remove(APPLICATION, entry, new)
    with pytest.raises(UnsafePlan, match="active"):
        plan.apply(Side(World({}), APPLICATION.realm), approved=plan.id, journal=FakeJournal())


def test_another_credential_that_came_meanwhile_stops_the_removal():
    of = World({}, (OLD, NEW), NEW)
    old = [one for one in certificates.read(of.entry) if one.thumbprint == OLD.thumbprint]
    plan = certificate_plan.remove(APPLICATION, of.entry, old)
    of.certs.append(certificate("CN=other", NOW, serial=4))
    of.names.append("CN=other")
    with pytest.raises(Exception, match="changed after the plan was made"):
        plan.apply(Side(of, APPLICATION.realm), approved=plan.id, journal=FakeJournal())
    assert OLD in of.certs


def test_no_private_part_can_be_in_a_plan():
    entry = entry_of_three()
    plan = certificate_plan.remove(APPLICATION, entry, certificates.read(entry)[:1])
    assert '"secretText": null' in plan.requests[0].body or "secretText" not in plan.requests[0].body
    assert all(item["key"] is None for item in plan.requests[0].content["keyCredentials"] if item["usage"] == "Sign")
