"""A role of the sandbox's application, given to somebody straight in its store, as the runbooks would have done it."""

from awsfed_lib.sandbox.store import Write


def grant(tenant, principal, value, application):
    """Put an appRole with `value` in the place of any other with it, and assign it to `principal`."""
    record = tenant.principal(application)
    others = [one for one in record["appRoles"] if one["value"] != value]
    texts = {"value": value, "displayName": "x", "description": "x"}
    role = {"id": tenant.mint(), **texts, "isEnabled": True, "allowedMemberTypes": ["User"]}
    assigned = {"id": tenant.mint(), "principalId": principal, "resourceId": application, "appRoleId": role["id"]}
    tenant.commit(
        [Write("servicePrincipals", application, {**record, "appRoles": [*others, role]}), Write("assignments", assigned["id"], assigned)]
    )


def grant_demo(tenant, demo):
    """Give the demo's group the demo's role; Britta Simon is a direct member."""
    grant(tenant, demo["group"], demo["value"], demo["application"])
