"""Filters, searches, sort orders and pages."""

import entra_sample as sample
import pytest

from awsfed_lib.sandbox.entra.expressions import SyntaxRefused, parse, satisfied
from awsfed_lib.sandbox.store import Write

EVENTUAL = {"ConsistencyLevel": "eventual"}


def names(client, path, **headers):
    return [row["displayName"] for row in client.value(path, **headers)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name eq 'Ann'", True),
        ("name eq 'ANN'", True),
        ("name eq 'Bob' or (age ge 3 and not (age gt 4))", True),
        ("name eq 'Bob' or name eq 'Ann' and age eq 9", False),
        ("startswith(name,'an') and endsWith(name, 'N')", True),
        ("tags/any(t:t eq 'x')", True),
        ("tags/any(t:startswith(t,'y'))", False),
        ("keys/any(k:k/end le 2026-12-01T00:00:00Z)", True),
        ("tags/$count eq 2", True),
        ("name in ('Bob', 'Ann')", True),
        ("missing eq null", True),
        ("flag eq true", True),
        ("quote eq 'O''Neil, (x)'", True),
        ("end lt 2026-11-24", False),
        ("age gt 'x'", False),
    ],
)
def test_expressions(text, expected):
    """docs-contrib concepts/filter-query-parameter.md."""
    record = {"name": "Ann", "age": 3, "tags": ["x", "z"], "keys": [{"end": "2026-11-30T00:00:00Z"}], "flag": True}
    record |= {"quote": "O'Neil, (x)", "end": "2026-11-24T06:00:00Z"}
    assert satisfied(parse(text), record) is expected


@pytest.mark.parametrize(
    "text", ["", "name", "name eq", "name eq 'x", "name eq 'x' and", "(name eq 'x'", "name like 'x'", "f(name,'x')", "x eq 1 2"]
)
def test_no_expressions(text, reader):
    with pytest.raises(SyntaxRefused):
        parse(text)
    if text:
        answer = reader.get(f"/groups?$filter={text}")
        assert answer.error[:2] == (400, "BadRequest")
        assert answer.error[2].startswith("Invalid filter clause: ")


def test_all_instances_of_the_aws_template_are_found(reader):
    """Facts of docs-contrib filter-directory-objects: applicationTemplateId is filterable as it is."""
    path = f"/servicePrincipals?$filter=applicationTemplateId eq '{sample.TEMPLATE}'&$select=id,appId,displayName&$top=999"
    assert [row["id"] for row in reader.value(path)] == [sample.AWS]


def test_expiring_certificates_are_found_by_a_property_that_is_not_shown(reader):
    """docs-contrib filter-directory-objects: preferredTokenSigningKeyEndDateTime le …; absent from the v1.0 type."""
    assert names(reader, "/servicePrincipals?$filter=preferredTokenSigningKeyEndDateTime le 2030-01-01T00:00:00Z") == ["AWS"]
    assert names(reader, "/servicePrincipals?$filter=preferredTokenSigningKeyEndDateTime le 2027-01-01T00:00:00Z") == []
    assert "preferredTokenSigningKeyEndDateTime" not in reader.get(f"/servicePrincipals/{sample.AWS}").json


def test_quotes_and_ampersands_in_names(reader):
    """OData: quotes doubled; & percent-encoded (learn.microsoft.com graph/query-parameters)."""
    assert names(reader, "/groups?$filter=displayName eq 'O''Neill %26 Sons'") == ["O'Neill & Sons"]


def test_a_property_that_needs_advanced_queries_is_named(reader):
    """docs-contrib#1726."""
    text = "Unsupported or invalid query filter clause specified for property 'appRoleAssignmentRequired' of resource 'ServicePrincipal'."
    path = "/servicePrincipals?$filter=appRoleAssignmentRequired eq true"
    assert reader.get(path).error == (400, "Request_UnsupportedQuery", text)
    assert reader.get(f"{path}&$count=true").error[2] == text
    assert reader.get(path, **EVENTUAL).error[2] == text
    assert names(reader, f"{path}&$count=true", **EVENTUAL) == ["AWS"]


@pytest.mark.parametrize(
    ("clause", "words"),
    [
        ("displayName ne 'x'", "Unsupported property filter clause operator 'NotEqualsMatch'."),
        ("not (displayName eq 'x')", "Unsupported Query."),
        ("endsWith(displayName,'x')", "Unsupported Query."),
        ("keyCredentials/any(k:k/usage eq 'Sign')", "Complex query on property keyCredentials is not supported."),
        ("contains(displayName,'x')", "Unsupported Query."),
    ],
)
def test_operators_that_need_advanced_queries(reader, clause, words):
    """docs-contrib#1726 (`ne`), graph-docs#18122 (complex), concepts/aad-advanced-queries.md."""
    assert reader.get(f"/servicePrincipals?$filter={clause}").error == (400, "Request_UnsupportedQuery", words)


def test_an_unknown_property_in_a_filter_is_named(reader):
    assert "Could not find a property named 'colour'" in reader.get("/groups?$filter=colour eq 'x'").error[2]


def test_fifteen_values_and_not_sixteen(reader):
    """graph-docs#21098: with the advanced query capabilities there may be more."""
    listed = ",".join(f"'g{nth}'" for nth in range(16))
    text = "Too many child clauses specified in search filter expression containing 'OR' operators: 16. Max allowed: 15."
    path = f"/groups?$filter=displayName in ({listed})"
    assert reader.get(path).error == (400, "Request_UnsupportedQuery", text)
    assert reader.get(f"{path}&$count=true", **EVENTUAL).status == 200
    ored = " or ".join(f"displayName eq 'g{nth}'" for nth in range(16))
    assert reader.get(f"/groups?$filter={ored}").error[2] == text


def test_search_needs_the_header_and_finds_words(reader):
    """docs-contrib concepts/aad-advanced-queries.md and search-query-parameter.md."""
    text = "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'"
    path = '/groups?$search="displayName:auditor"'
    assert reader.get(path).error == (400, "Request_UnsupportedQuery", text)
    assert names(reader, path, **EVENTUAL) == ["AWS-123456789012-Auditor"]
    assert names(reader, '/groups?$search="displayName:aws" AND "displayName:admin"', **EVENTUAL) == ["AWS-123456789012-Admin"]
    assert len(names(reader, '/groups?$search="displayName:office" OR "description:inside"', **EVENTUAL)) == 2
    assert reader.get("/groups?$search=office", **EVENTUAL).status == 400


def test_sorting_and_filtering_together_is_an_advanced_query(reader):
    """docs-contrib#4644."""
    path = "/groups?$filter=startswith(displayName,'AWS')&$orderby=displayName desc"
    assert reader.get(path).error == (400, "Request_UnsupportedQuery", "Sorting not supported for current query.")
    assert names(reader, f"{path}&$count=true", **EVENTUAL) == ["AWS-123456789012-Auditor", "AWS-123456789012-Admin"]
    assert names(reader, "/groups?$orderby=displayName")[0] == "AWS-123456789012-Admin"
    assert reader.get("/groups?$orderby=renewedDateTime").status == 400


def test_skip_is_not_served(reader):
    assert reader.get("/users?$skip=1").status == 400


# Pages


def test_a_page_is_a_hundred_rows_unless_more_are_asked_for(reader, tenant):
    """docs-contrib concepts/paging.md: default 100, most 999."""
    many = [sample.guid(f"many {nth}") for nth in range(250)]
    tenant.commit([Write("users", key, {"id": key, "displayName": key, "userPrincipalName": f"{key}@x"}) for key in many])
    assert len(reader.value("/users")) == 100
    assert len(reader.value("/users?$top=999")) == 254
    assert "@odata.nextLink" not in reader.get("/users?$top=999").json


@pytest.mark.parametrize("wanted", ["0", "-1", "x"])
def test_page_sizes_that_are_none(reader, wanted):
    assert reader.get(f"/users?$top={wanted}").error[2] == f"Invalid page size specified: '{wanted}'. Must be between 1 and 999 inclusive."


def test_the_link_carries_the_query_and_an_opaque_token(reader):
    """docs-contrib concepts/paging.md."""
    link = reader.get("/users?$top=2&$select=id,displayName").json["@odata.nextLink"]
    assert link.startswith("http://localhost/v1.0/users?$top=2&$select=id,displayName&$skiptoken=")
    page = reader.get(link.removeprefix("http://localhost"))
    assert [set(row) for row in page.json["value"]] == [{"id", "displayName"}] * 2
    assert "@odata.nextLink" not in page.json


def test_the_header_is_not_in_the_link_and_the_count_only_on_the_first_page(reader):
    """docs-contrib concepts/paging.md and aad-advanced-queries.md: resend ConsistencyLevel."""
    first = reader.get("/groups?$filter=displayName ne 'x'&$count=true&$top=2", **EVENTUAL).json
    assert first["@odata.count"] == 5
    link = first["@odata.nextLink"].removeprefix("http://localhost")
    assert reader.get(link).status == 400
    assert "@odata.count" not in reader.get(link, **EVENTUAL).json


def test_a_count_without_the_header_is_silently_ignored(reader):
    """docs-contrib concepts/aad-advanced-queries.md."""
    assert "@odata.count" not in reader.get("/groups?$count=true").json


def test_rows_that_come_and_go_between_pages_hide_no_others(reader, writer):
    link = reader.get("/groups?$top=2&$select=id").json["@odata.nextLink"].removeprefix("http://localhost")
    writer.delete(f"/groups/{sample.ADMINS}")
    assert [row["id"] for row in reader.value(link)] == [sample.NESTED, sample.OFFICE]


def test_a_token_that_was_made_up_is_refused(reader):
    assert reader.get("/groups?$skiptoken=mine").error[:2] == (400, "Directory_ExpiredPageToken")


def test_the_page_switch_makes_every_list_a_long_one(reader, tenant):
    tenant.switches = tenant.switches.changed({"page": 1})
    assert len(reader.value(f"/servicePrincipals/{sample.AWS}/appRoleAssignedTo")) == 1
    assert len(reader.value(f"/groups/{sample.ADMINS}/members")) == 1


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (
            "/users?$select=id,employeeType,proxyAddresses,signInActivity,onPremisesExtensionAttributes",
            {"proxyAddresses": [], "employeeType": None},
        ),
        ("/groups?$select=id,assignedLabels,hideFromOutlookClients,onPremisesExtensionAttributes", {"assignedLabels": []}),
    ],
)
def test_every_property_of_the_version_can_be_selected(reader, path, value):
    """msgraph-metadata schemas/v1.0-Prod.csdl: what foreign readers ask for."""
    assert value.items() <= reader.value(path)[0].items()


@pytest.mark.parametrize("name", ["createdDateTime", "publisherName", "preferredTokenSigningKeyEndDateTime"])
def test_properties_of_beta_cannot_be_selected(reader, name):
    """They are in filter-directory-objects and in no v1.0 type."""
    text = f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type 'microsoft.graph.servicePrincipal'."
    assert reader.get(f"/servicePrincipals?$select=id,{name}").error == (400, "BadRequest", text)
    assert name not in reader.value("/servicePrincipals")[0]


def test_templates_are_found_by_a_part_of_their_name(reader):
    """graph/api/applicationtemplate-list."""
    found = reader.value("/applicationTemplates?$filter=contains(displayName,'Single-Account')")
    assert [one["displayName"] for one in found] == ["AWS Single-Account Access"]
    assert reader.get("/groups?$filter=contains(displayName,'x')").error[1] == "Request_UnsupportedQuery"
