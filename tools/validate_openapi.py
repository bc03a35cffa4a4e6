"""Holds the sandbox's Graph answers against an OpenAPI file of Microsoft Graph v1.0.

Usage: python tools/validate_openapi.py FILE

Asks for every kind of object that awsfed reads or writes, and prints each place where an answer breaks the schema of its path.
Ends with 1 when there is one. `nullable` is honoured; formats are not checked.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from werkzeug.test import Client

from awsfed_lib.sandbox.entra import issuing
from awsfed_lib.sandbox.front import Front
from awsfed_lib.sandbox.org import world
from awsfed_lib.sandbox.store import Tenant

Document = dict[str, Any]

IGNORED = {"nullable", "format", "discriminator", "pattern", "additionalProperties"}


def as_json_schema(node: Any) -> Any:
    """Turn an OpenAPI 3.0 schema into JSON Schema: `nullable` becomes a type of its own.

    `additionalProperties: {type: object}` stands in Microsoft's files for "anything may be there", text included, and a
    plain reference for a complex type that may be null (the CSDL of msgraph-metadata says Nullable for them).
    """
    if isinstance(node, list):
        return [as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: as_json_schema(value) for key, value in node.items() if key not in IGNORED}
    return {"anyOf": [made, {"type": "null"}]} if node.get("nullable") or "$ref" in node else made


def schema_of(document: Document, path: str, method: str, status: int) -> Any:
    """Find the schema of an answer, None when the path has none for that status."""
    operation = document["paths"][path][method.lower()]
    answers = operation["responses"]
    answer = answers.get(str(status)) or answers.get(f"{status // 100}XX") or answers.get("default") or {}
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    content = answer.get("content", {}).get("application/json")
    return content and content.get("schema")


def template_of(document: Document, path: str) -> str:
    """Find the path of the document that a requested path is an instance of, the most literal one first."""
    plain = path.partition("?")[0]
    for template in sorted(document["paths"], key=lambda one: one.count("{")):
        pattern = re.sub(r"\\\{[^}]*\\\}", "[^/']+", re.escape(template))
        if re.fullmatch(pattern.replace("/microsoft\\.graph\\.", "/(?:microsoft\\.graph\\.)?"), plain):
            return template
    raise SystemExit(f"The document has no path for {plain}.")


def asked(tenant: Tenant, about: Document) -> Iterator[tuple[str, str, Any]]:
    """List the requests: method, path and body."""
    principal = f"/servicePrincipals/{about['main']}"
    roles = tenant.tables["servicePrincipals"][about["main"]]["appRoles"]
    group = next(one for one in about["groups"] if one["members"] and one["securityEnabled"])
    user = about["users"][0]["id"]
    assignment = {"principalId": group["id"], "resourceId": about["main"], "appRoleId": roles[-1]["id"]}
    yield from (
        ("GET", path, None)
        for path in (
            "/servicePrincipals?$top=5",
            principal,
            f"{principal}/appRoleAssignedTo?$top=5",
            f"{principal}/claimsMappingPolicies",
            f"{principal}/synchronization/jobs",
            "/applications?$top=5",
            f"/applications/{about['applications'][0]['id']}",
            "/applicationTemplates?$top=5",
            "/groups?$top=5",
            f"/groups/{group['id']}",
            f"/groups/{group['id']}/members?$top=5",
            f"/groups/{group['id']}/appRoleAssignments",
            f"/groups/{group['id']}/transitiveMembers",
            "/users?$top=5",
            f"/users/{user}",
            f"/users/{user}/appRoleAssignments",
            "/policies/claimsMappingPolicies",
            "/auditLogs/directoryAudits",
            "/organization",
            "/subscribedSkus",
            "/servicePrincipals/00000000-0000-0000-0000-000000000001",
        )
    )
    yield "POST", "/directoryObjects/getByIds", {"ids": [group["id"]], "types": ["group"]}
    yield "POST", f"{principal}/appRoleAssignedTo", assignment
    yield "POST", f"{principal}/appRoleAssignedTo", assignment
    security = {"displayName": "Validated", "mailNickname": "validated", "mailEnabled": False, "securityEnabled": True}
    yield "POST", "/groups", security
    yield "PATCH", principal, {"appRoles": roles}
    yield "PATCH", principal, {"appRoles": roles[:1]}


def deviations(document: Document) -> Iterator[str]:
    """Ask, and say where an answer breaks its schema."""
    about = world(1)["tenant"]
    tenant = Tenant(about)
    client = Client(Front(tenant))
    writer = next(one["appId"] for one in about["clients"] if one["displayName"].endswith("writer"))
    token = issuing.for_application(tenant, tenant.client_credentials(writer), "https://graph.microsoft.com")["access_token"]
    components = as_json_schema(document["components"])
    for method, path, body in asked(tenant, about):
        answer = client.open(f"/v1.0{path}", method=method, json=body, headers={"Authorization": f"Bearer {token}"})
        text = answer.get_data(as_text=True)
        try:
            schema = schema_of(document, template_of(document, path), method, answer.status_code)
        except SystemExit as missing:
            yield f"not checked: {missing}"
            continue
        if schema and text:
            validator = Draft202012Validator({"components": components, **as_json_schema(schema)})
            for error in validator.iter_errors(json.loads(text)):
                yield f"{method} {path} {answer.status_code} at {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"


def main(file: str) -> int:
    """Print every deviation; returns the exit code."""
    found = list(deviations(yaml.safe_load(Path(file).read_text())))
    for line in found:
        print(line)
    broken = [line for line in found if not line.startswith("not checked")]
    print(f"{len(broken)} deviations")
    return min(len(broken), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
