"""One statement merged into a trust policy that is already there: what others need of it stays.

UpdateAssumeRolePolicy replaces the whole document (IAM API_UpdateAssumeRolePolicy), so a policy rendered from nothing
would take away whoever else may assume the role.
"""

from __future__ import annotations

import json
from typing import Any

from awsfed_lib.core.accounts.families import EXTRA_ACTIONS, SAML_ACTION
from awsfed_lib.core.tables import canonical

MOST_CHARACTERS = 2_048  # non-white-space characters of a trust policy, before the quota is raised
_OURS = {action.lower() for action in (SAML_ACTION, *EXTRA_ACTIONS)}


def document(statement: dict[str, Any]) -> dict[str, Any]:
    """Write a policy of one statement."""
    return {"Version": "2012-10-17", "Statement": [statement]}


def merged(live: str, statement: dict[str, Any]) -> dict[str, Any] | None:
    """Merge `statement` into the policy text `live`; None when it is there already. Raises ValueError for what is no policy.

    Statements that do nothing but let the same provider sign in are replaced; every other one stays, in its order.
    """
    found = json.loads(live)
    policy: dict[str, Any] = found if isinstance(found, dict) else {}
    listed = policy.get("Statement")
    statements = [listed] if isinstance(listed, dict) else listed
    if not isinstance(statements, list) or not all(isinstance(item, dict) for item in statements):
        raise ValueError("it has no statements")
    if any(canonical(item) == canonical(statement) for item in statements):
        return None
    stay = [item for item in statements if not _replaced(item, statement)]
    return policy | {"Statement": [*stay, statement]}


def _replaced(item: dict[str, Any], statement: dict[str, Any]) -> bool:
    """Whether `item` does nothing but what `statement` is for. A condition on more than SAML:aud is somebody's purpose."""
    principal, actions = item.get("Principal"), item.get("Action")
    named = principal.get("Federated") if isinstance(principal, dict) and set(principal) == {"Federated"} else None
    listed = {action.lower() for action in ([actions] if isinstance(actions, str) else actions or [])}
    keys = {key.lower() for block in (item.get("Condition") or {}).values() for key in block}
    federated = statement["Principal"]["Federated"]
    return item.get("Effect") == "Allow" and named in (federated, [federated]) and bool(listed) and listed <= _OURS and keys <= {"saml:aud"}


def too_long(policy: dict[str, Any]) -> bool:
    """Whether IAM refuses the policy for its length, unless the account's quota is raised (it can be, to 4,096)."""
    return len("".join(json.dumps(policy).split())) > MOST_CHARACTERS
