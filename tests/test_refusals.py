import pytest

from awsfed_lib.edges.entra.refusals import ENTRA, GRAPH, UNKNOWN, explain, explain_sign_in


@pytest.mark.parametrize("row", GRAPH, ids=lambda row: f"{row.status} {row.sign}")
def test_every_row_is_reached_and_says_what_to_do(row):
    found = explain(row.status or 400, row.sign, row.sign)
    assert found == row
    assert row.cause.endswith(".")
    assert row.remedy or row.kind in ("exists", "gone") or "page" in row.cause


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("Request_BadRequest", "Permission being assigned already exists on the object", "exists"),
        ("Request_BadRequest", "EntitlementGrant being updated or deleted is not found.", "gone"),
        ("Request_BadRequest", "Not a valid reference update.", "lag"),
        ("CannotDeleteOrUpdateEnabledEntitlement", "Permission (scope or role) cannot be deleted or updated unless disabled first.", "lag"),
        ("Request_BadRequest", "One or more properties contains invalid values.", "refused"),
    ],
)
def test_kinds(code, message, kind):
    assert explain(400, code, message).kind == kind


def test_unknown_refusal_is_a_refusal():
    assert explain(418, "Teapot", "") == UNKNOWN
    assert explain(400, "", "") == UNKNOWN


@pytest.mark.parametrize("code", sorted(ENTRA))
def test_every_code_of_sign_in_has_cause_and_step(code):
    found = explain_sign_in(f"AADSTS{code}: Something. Trace ID: x")
    assert found == ENTRA[code]
    assert found.cause.endswith(".")
    assert found.remedy.endswith(".")


def test_code_that_is_part_of_another_is_not_taken_for_it():
    assert "secret is wrong" in explain_sign_in("AADSTS7000215: Invalid client secret provided.").cause
    assert "federated" in explain_sign_in("AADSTS70021: No matching federated identity record found").cause


def test_unknown_code_is_named():
    assert "AADSTS99999" in explain_sign_in("AADSTS99999: new").remedy
    assert explain_sign_in("something else") == ("", "")
