"""The comparison with Microsoft's OpenAPI file finds what it is for: each kind of change on the way is a deviation."""

import importlib.util
import json
from pathlib import Path

_spec = importlib.util.spec_from_file_location("validate_openapi", Path(__file__).parents[2] / "tools" / "validate_openapi.py")
validate_openapi = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(validate_openapi)

DATED = {"type": "object", "properties": {name: {"type": "string", "nullable": True} for name in ("id", "displayName", "description")}}
DATED["properties"]["createdDateTime"] = {"type": "string", "format": "date-time", "nullable": True}
ANSWER = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/group"}}}}
DOCUMENT = {
    "paths": {
        "/groups/{group-id}": {"get": {"responses": {"2XX": ANSWER}}, "delete": {"responses": {"2XX": {}}}},
        "/servicePrincipals/{servicePrincipal-id}": {"patch": {"responses": {"2XX": {}}}},
    },
    "components": {"schemas": {"group": DATED}},
}


def found(change):
    """What is found besides properties that this small document does not declare."""

    def between(app):
        def changed(environ, start):
            told = []
            body = b"".join(app(environ, lambda status, headers, _=None: told.extend([status, headers])))
            status, body = change(told[0], body)
            start(status, [(name, value) for name, value in told[1] if name != "Content-Length"])
            return [body]

        return changed

    lines = validate_openapi.deviations(DOCUMENT, between)
    return [line for line in lines if not line.startswith("not checked") and "is not declared" not in line]


def changed(status, body):
    """Change one thing of each kind; each is told on its own."""
    body = body.replace(b'"createdDateTime":null', b'"createdDateTime":"24.11.2026"')
    read = json.loads(body) if body.startswith(b"{") else {}
    kept = {name: value for name, value in read.items() if name not in ("@odata.context", "description")}
    return status.replace("204", "202"), json.dumps(kept).encode() if read else body


def test_each_kind_of_change_is_found():
    assert found(lambda status, body: (status, body)) == []
    told = "\n".join(found(changed))
    words = ("202: not the status of such an answer", "24.11.2026", "None is not its @odata.context", "description is missing")
    assert [one for one in words if one not in told] == []
