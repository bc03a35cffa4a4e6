"""Holds the sandbox's Graph answers against an OpenAPI file of Microsoft Graph v1.0.

Usage: python tools/validate_openapi.py FILE

Asks for every path that awsfed reads or writes, and prints each place where an answer breaks the schema of its path, holds a property
that the schema does not declare or lacks one that Graph sends unasked, has another status than its content allows, a date in another
form, or another @odata.context. Ends with 1 when there is one, with 0 when there is none or no file is given.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from wsgiref.types import WSGIApplication

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from werkzeug.test import Client

from awsfed_lib.sandbox.entra import issuing
from awsfed_lib.sandbox.front import Front
from awsfed_lib.sandbox.org import world
from awsfed_lib.sandbox.store import Tenant

Document = dict[str, Any]

# Patterns are Microsoft's, and not all of its own samples keep them; of formats only that of dates is looked at. `additionalProperties:
# {type: object}` stands in its files for "anything may be there", text included; discriminators are no business of JSON Schema.
IGNORED = {"nullable", "discriminator", "pattern", "additionalProperties"}
DATES = FormatChecker(formats=())
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z")
ON_REQUEST = re.compile(r"\$select|not returned by default", re.IGNORECASE)
# What Graph sends only on $select although the metadata does not say so (learn.microsoft.com graph/api/resources/group, application,
# serviceprincipal): properties of Outlook and Teams, binary ones, and those of previews.
QUIET = frozenset({
    "accessType", "createdOnBehalfOf", "hasMembersWithLicenseErrors", "infoCatalogs", "isArchived", "isFavorite", "isManagementRestricted",
    "licenseProcessingState", "onPremisesExtensionAttributes", "organizationId", "unseenConversationsCount", "unseenMessagesCount",
    "welcomeMessageEnabled", "authenticationBehaviors", "createdByAppId", "customSecurityAttributes", "isDisabled", "logo",
    "managerApplications", "nativeAuthenticationApisEnabled", "oauth2RequirePostResponse", "remoteDesktopSecurityConfiguration",
    "synchronization",
})  # fmt: skip
OF_USERS = frozenset({
    "businessPhones", "displayName", "givenName", "id", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage", "surname",
    "userPrincipalName",
})  # fmt: skip
ABSENT = "00000000-0000-0000-0000-000000000001"


class Request(NamedTuple):
    """One request: method, path, body, and the headers of an advanced query."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = {}


def as_json_schema(node: Any) -> Any:
    """Turn an OpenAPI 3.0 schema into JSON Schema: `nullable` becomes a type of its own.

    A plain reference may be null as well: the metadata (CSDL) says Nullable for complex types, and the file loses it.
    """
    if isinstance(node, list):
        return [as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: as_json_schema(value) for key, value in node.items() if key not in IGNORED}
    return {"anyOf": [made, {"type": "null"}]} if node.get("nullable") or "$ref" in node else made


def schema_of(document: Document, path: str, method: str, status: int) -> Any:
    """Find the schema of an answer, None when the path has none for that status."""
    answers = document["paths"][path][method.lower()]["responses"]
    answer = answers.get(str(status)) or answers.get(f"{status // 100}XX") or answers.get("default") or {}
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    content = answer.get("content", {}).get("application/json")
    return content and content.get("schema")


def template_of(document: Document, request: Request) -> str:
    """Find the path of the document that a request is an instance of, the most literal one first; "" when there is none."""
    plain = request.path.partition("?")[0]
    for template in sorted(document["paths"], key=lambda one: one.count("{")):
        pattern = re.sub(r"\\\{[^}]*\\\}", "[^/']+", re.escape(template)).replace("/microsoft\\.graph\\.", "/(?:microsoft\\.graph\\.)?")
        if re.fullmatch(pattern, plain) and request.method.lower() in document["paths"][template]:
            return template
    return ""


def properties(document: Document, schema: Any) -> dict[str, Any]:
    """Collect the properties that a schema declares, its bases' included."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return properties(document, document["components"]["schemas"][name])
    found: dict[str, Any] = {}
    for part in schema.get("allOf", []) + schema.get("anyOf", []) + schema.get("oneOf", []):
        found |= properties(document, part)
    return found | schema.get("properties", {})


def undeclared(document: Document, schema: Any, body: Any) -> set[str]:
    """Name the properties of an answer, or of the rows of a list, that the schema does not declare.

    Rows of a mixed collection are held against their own type, which `@odata.type` names.
    """
    kind = str(body.get("@odata.type", "")).removeprefix("#")
    known = properties(document, {"$ref": f"#/{kind}"} if kind else schema)
    found = {name for name in body if "@odata." not in name and name not in known}
    rows = body.get("value") if isinstance(body.get("value"), list) else []
    return found.union(*(undeclared(document, rows_of(document, schema), row) for row in rows if isinstance(row, dict)))


def is_date(text: object) -> bool:
    """Tell whether a date is written as Graph writes it: UTC, up to seven digits of fraction."""
    return not isinstance(text, str) or DATE.fullmatch(text) is not None


DATES.checks("date-time")(is_date)


def status_fits(method: str, status: int, content: bytes) -> bool:
    """Tell whether the status of a success is the one of its method and content: 202 and its kin belong to other calls.

    The file says 2XX for nearly all of them, and so cannot tell.
    """
    allowed = {"GET": {200}, "DELETE": {204}, "PATCH": {201, 204}, "PUT": {201, 204}, "POST": {200, 201, 204}}[method]
    return status in allowed and (status == 204) == (not content)  # noqa: PLR2004  an HTTP status


def context_fits(request: Request, body: Mapping[str, Any]) -> bool:
    """Tell whether `@odata.context` names a collection, one of its objects or a type, and the selected properties in parentheses."""
    context = str(body.get("@odata.context"))
    root, _, fragment = context.partition("/v1.0/$metadata#")
    if request.path.startswith("/$batch"):
        return True
    if not root.startswith("http") or not fragment:
        return False
    if fragment.startswith(("microsoft.graph.", "Collection(")):
        return True
    selected = re.search(r"\$select=([^&]*)", request.path)
    names = f"({selected[1]})" if selected else ""
    single = "value" not in body
    return fragment.endswith(f"{names}/$entity" if single else names) and single == fragment.endswith("/$entity")


def missing(document: Document, schema: Any, body: Mapping[str, Any]) -> set[str]:
    """Name the properties that Graph sends unasked and the answer, or the rows of the list, lack."""
    if isinstance(body.get("value"), list):
        return set[str]().union(*(missing(document, rows_of(document, schema), row) for row in body["value"] if isinstance(row, dict)))
    kind = str(body.get("@odata.type", "")).removeprefix("#")
    found = properties(document, {"$ref": f"#/{kind}"} if kind else schema)
    of_users = {name for name in OF_USERS if "mailboxSettings" in found}
    return (of_users or {name for name, one in found.items() if is_default(name, one)}) - set(body)


def is_default(name: str, schema: Mapping[str, Any]) -> bool:
    """Tell whether Graph sends the property unasked."""
    related = schema.get("x-ms-navigationProperty") or "x-trimmed" in schema or "x-trimmed" in schema.get("items", {})
    return not (related or "@odata." in name or name in QUIET or ON_REQUEST.search(schema.get("description", "")))


def rows_of(document: Document, schema: Any) -> Any:
    """Find the schema of the rows of a list."""
    if "$ref" in schema:
        return rows_of(document, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    for part in (schema, *schema.get("allOf", ())):
        if "value" in part.get("properties", {}):
            return part["properties"]["value"]["items"]
    return {}


def asked(tenant: Tenant, about: Document) -> Iterator[Request]:
    """List the requests: what awsfed reads, then what it writes, then some that are refused."""
    group = next(one for one in about["groups"] if one["members"] and one["securityEnabled"])
    yield from reads(tenant, about, group)
    principal = f"/servicePrincipals/{about['main']}"
    roles = tenant.tables["servicePrincipals"][about["main"]]["appRoles"]
    assignment = {"principalId": group["id"], "resourceId": about["main"], "appRoleId": roles[-1]["id"]}
    member = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{about['users'][-1]['id']}"}
    security = {"displayName": "Validated", "mailNickname": "validated", "mailEnabled": False, "securityEnabled": True}
    batch = {"requests": [{"id": "1", "method": "GET", "url": principal}, {"id": "2", "method": "GET", "url": f"/groups/{ABSENT}"}]}
    yield Request("POST", "/$batch", batch)
    yield Request("POST", "/$batch", {"requests": []})
    yield Request("POST", "/directoryObjects/getByIds", {"ids": [group["id"], about["users"][0]["id"], about["main"]]})
    yield Request("POST", f"{principal}/appRoleAssignedTo", assignment)
    yield Request("POST", f"{principal}/appRoleAssignedTo", assignment)
    yield Request("DELETE", f"{principal}/appRoleAssignedTo/{next(reversed(tenant.tables['assignments']))}")
    yield Request("POST", f"/groups/{group['id']}/appRoleAssignments", assignment)
    yield Request("POST", "/groups", security)
    yield Request("PATCH", "/groups(uniqueName='validated')", security, {"Prefer": "create-if-missing"})
    yield Request("PATCH", "/groups(uniqueName='validated')", security, {"Prefer": "create-if-missing"})
    yield Request("POST", f"/groups/{group['id']}/members/$ref", member)
    yield Request("POST", f"/groups/{group['id']}/members/$ref", member)
    yield Request("DELETE", f"/groups/{group['id']}/members/{about['users'][-1]['id']}/$ref")
    yield Request("PATCH", principal, {"appRoles": roles})
    yield Request("PATCH", principal, {"appRoles": roles[:1]})
    yield Request("PATCH", f"/applications/{about['applications'][0]['id']}", {"notes": "validated"})
    tenant.pass_time(180)  # the logs are late
    yield Request("GET", "/auditLogs/directoryAudits")
    yield Request("DELETE", f"/groups/{group['id']}")
    yield Request("GET", f"{principal}/owners/{ABSENT}")
    yield from set_up(tenant, principal)


def set_up(tenant: Tenant, principal: str) -> Iterator[Request]:
    """List the writes that set an application up: instance, certificate, claims, provisioning job."""
    template, job = "/applicationTemplates/8b1025e4-1dd2-430b-a150-2ef79cd700f5", f"{principal}/synchronization/jobs/aws.1"
    text = '{"ClaimsMappingPolicy": {"Version": 1, "IncludeBasicClaimSet": "true", "ClaimsSchema": []}}'
    policies, applied = "/policies/claimsMappingPolicies", f"{principal}/claimsMappingPolicies"
    old = tenant.tables["policies"][principal.rsplit("/", 1)[1]][0]
    yield Request("POST", f"{template}/instantiate", {"displayName": "Validated"})
    yield Request("POST", f"{template}/instantiate", {})
    yield Request("POST", f"{principal}/addTokenSigningCertificate", {"displayName": "CN=Validated"})
    yield Request("POST", f"{principal}/addTokenSigningCertificate", {"displayName": "Validated"})
    yield Request("GET", f"{principal}?$select=keyCredentials,passwordCredentials,preferredTokenSigningKeyThumbprint")
    yield Request("PATCH", principal, {"samlSingleSignOnSettings": {"relayState": "https://console.aws.amazon.com"}, "notes": "x"})
    yield Request("POST", policies, {"definition": [text], "displayName": "Validated"})
    yield Request("POST", policies, {"definition": [], "displayName": "Validated"})
    new = next(reversed(tenant.tables["claimsMappingPolicies"]))
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0{policies}/{new}"}
    yield Request("PATCH", f"{policies}/{new}", {"displayName": "Validated again"})
    yield Request("POST", f"{applied}/$ref", reference)
    yield Request("DELETE", f"{applied}/{old}/$ref")
    yield Request("POST", f"{applied}/$ref", reference)
    yield Request("GET", applied)
    yield Request("DELETE", f"{policies}/{new}")
    yield from (Request("POST", f"{job}/{verb}") for verb in ("start", "pause", "restart"))
    yield Request("DELETE", job)
    yield Request("POST", f"{principal}/synchronization/jobs", {"templateId": "aws"})


def reads(tenant: Tenant, about: Document, group: Mapping[str, Any]) -> Iterator[Request]:
    """List the reads."""
    main, user = about["main"], about["users"][0]["id"]
    principal, app_id = f"/servicePrincipals/{main}", tenant.tables["servicePrincipals"][main]["appId"]
    held = next(one for one in tenant.tables["assignments"].values() if one["principalType"] == "Group")
    jobs = f"{principal}/synchronization/jobs"
    policy = next(iter(tenant.tables["claimsMappingPolicies"]), ABSENT)
    paths = (
        "/servicePrincipals?$top=5", "/servicePrincipals?$select=id,appId&$filter=startswith(displayName,'A')", principal,
        f"/servicePrincipals(appId='{app_id}')", f"{principal}?$select=keyCredentials,passwordCredentials",
        f"{principal}/appRoleAssignedTo?$top=5", f"{principal}/appRoleAssignedTo/{held['id']}", f"{principal}/appRoleAssignments",
        f"{principal}/owners", f"{principal}/memberOf", f"{principal}/claimsMappingPolicies", jobs, f"{jobs}/aws.1",
        f"{principal}/synchronization/templates", "/applications?$top=5", f"/applications/{about['applications'][0]['id']}",
        f"/applications(appId='{app_id}')", f"/applications/{about['applications'][0]['id']}/owners", "/applicationTemplates?$top=5",
        "/applicationTemplates/8b1025e4-1dd2-430b-a150-2ef79cd700f5", "/groups?$top=5", f"/groups/{group['id']}",
        f"/groups/{group['id']}?$expand=members", f"/groups/{group['id']}/members?$top=5", f"/groups/{group['id']}/transitiveMembers",
        f"/groups/{group['id']}/owners", f"/groups/{group['id']}/transitiveMemberOf",
        f"/groups/{held['principalId']}/appRoleAssignments", f"/groups/{held['principalId']}/appRoleAssignments/{held['id']}",
        "/users?$top=5", f"/users/{user}", f"/users/{user}?$select=id,accountEnabled,userType", f"/users/{user}/memberOf",
        f"/users/{user}/transitiveMemberOf", f"/users/{user}/appRoleAssignments", "/policies/claimsMappingPolicies",
        f"/policies/claimsMappingPolicies/{policy}", f"/policies/claimsMappingPolicies/{policy}/appliesTo", "/organization",
        "/subscribedSkus", f"/servicePrincipals/{ABSENT}", f"/groups/{ABSENT}", "/users?$top=1000", "/groups?$filter=colour eq 1",
    )  # fmt: skip
    yield from (Request("GET", path) for path in paths)
    yield Request("GET", "/auditLogs/signIns?$top=5")
    yield Request("GET", f"/auditLogs/signIns/{tenant.sign_ins[0]['id']}")
    yield Request("GET", "/groups?$count=true&$filter=displayName ne 'x'&$top=3", None, {"ConsistencyLevel": "eventual"})
    cast = f"/groups/{group['id']}/members/microsoft.graph.user?$count=true"
    yield Request("GET", cast, None, {"ConsistencyLevel": "eventual"})


def served() -> tuple[Document, Tenant]:
    """Make a tenant with one of everything that can be asked for."""
    about = world(1)["tenant"]
    about["synchronizationJobs"] = {about["main"]: [{"id": "aws.1"}]}
    about["claimsMappingPolicies"] = [{"id": ABSENT[:-1] + "2", "displayName": "AWS", "definition": ["{}"]}]
    principal = next(one for one in about["servicePrincipals"] if one["id"] == about["main"])
    principal |= {"claimsMappingPolicies": [ABSENT[:-1] + "2"], "owners": [about["users"][0]["id"]]}
    return about, Tenant(about)


def token_of(tenant: Tenant, about: Document) -> str:
    """Sign in with every permission that a route asks for."""
    writer = next(one["appId"] for one in about["clients"] if one["displayName"].endswith("writer"))
    registration = tenant.client_credentials(writer)
    registration.permissions |= {"Directory.Read.All"}
    return str(issuing.for_application(tenant, registration, "https://graph.microsoft.com")["access_token"])


def deviations(document: Document, between: Callable[[WSGIApplication], WSGIApplication] = lambda app: app) -> Iterator[str]:
    """Ask, and say where an answer breaks its schema; `between` may change answers on their way, to see that it is found."""
    about, tenant = served()
    client, token = Client(between(Front(tenant))), token_of(tenant, about)
    components = as_json_schema(document["components"])
    for request in asked(tenant, about):
        headers = {"Authorization": f"Bearer {token}", **request.headers}
        answer = client.open(f"/v1.0{request.path}", method=request.method, json=request.body, headers=headers)
        template = template_of(document, request)
        if not template:
            yield f"not checked: {request.method} {request.path} is not in the file"
            continue
        where = f"{request.method} {request.path} {answer.status_code}"
        succeeded = answer.status_code < 400  # noqa: PLR2004  an HTTP status
        if succeeded and not status_fits(request.method, answer.status_code, answer.data):
            yield f"{where}: not the status of such an answer"
        schema = schema_of(document, template, request.method, answer.status_code)
        if schema and answer.data:
            body = json.loads(answer.data)
            validator = Draft202012Validator({"components": components, **as_json_schema(schema)}, format_checker=DATES)
            yield from (f"{where} at {'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in validator.iter_errors(body))
            if succeeded and "$batch" not in request.path:
                yield from (f"{where}: {name} is not declared" for name in sorted(undeclared(document, schema, body)))
                lacking = set() if "$select" in request.path else missing(document, schema, body)
                yield from (f"{where}: {name} is missing" for name in sorted(lacking))
            if succeeded and not context_fits(request, body):
                yield f"{where}: {body.get('@odata.context')} is not its @odata.context"


def main(files: list[str]) -> int:
    """Print every deviation; returns the exit code."""
    if not files:
        print("No OpenAPI file was given; nothing was checked.")
        return 0
    found = list(deviations(yaml.safe_load(Path(files[0]).read_text())))
    for line in found:
        print(line)
    broken = [line for line in found if not line.startswith("not checked")]
    print(f"{len(broken)} deviations")
    return min(len(broken), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
