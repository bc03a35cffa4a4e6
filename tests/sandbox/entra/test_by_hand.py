"""What a person does in the portal: Graph then shows it as if it had been done there."""

import entra_sample as sample

from awsfed_lib.sandbox import by_hand


def test_new_certificate_is_there_and_signs_nothing_yet(reader, tenant):
    """entra-docs tutorial-manage-certificates-for-federated-single-sign-on: inactive until somebody activates it."""
    path = f"/servicePrincipals/{sample.AWS}?$select=keyCredentials,passwordCredentials,preferredTokenSigningKeyThumbprint"
    before, active = reader.get(path).json, tenant.signing_key(sample.AWS)[1]
    by_hand.new_certificate(tenant, sample.AWS, "CN=by hand")
    after = reader.get(path).json
    added = [key for key in after["keyCredentials"] if key not in before["keyCredentials"]]
    assert [(key["displayName"], key["usage"]) for key in added] == [("CN=by hand", "Sign"), ("CN=by hand", "Verify")]
    assert len(after["passwordCredentials"]) == len(before["passwordCredentials"]) + 1
    assert after["preferredTokenSigningKeyThumbprint"] == before["preferredTokenSigningKeyThumbprint"]
    assert tenant.signing_key(sample.AWS)[1] == active


def test_members_are_added_beside_those_who_are_there(reader, tenant):
    before = [row["id"] for row in reader.value(f"/groups/{sample.ADMINS}/members")]
    by_hand.add_members(tenant, sample.ADMINS, [sample.GUEST, *before[:1]])
    assert sorted(row["id"] for row in reader.value(f"/groups/{sample.ADMINS}/members")) == sorted({*before, sample.GUEST})
