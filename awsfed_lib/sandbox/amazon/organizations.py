"""AWS Organizations, read only: accounts in pages of 20, organizational units, and who may ask.

Sources: the botocore model (organizations 2016-11-28); docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
("only from the management account or by a member account that is a delegated administrator", "can return an empty page with a
NextToken").
"""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

from awsfed_lib.sandbox.amazon.cloud import Account, Cloud
from awsfed_lib.sandbox.amazon.credentials import Identity
from awsfed_lib.sandbox.amazon.wire import Answer, AwsError, Call, document

JOINED = 1585904400.0  # 2020-04-03


def answer(cloud: Cloud, call: Call, caller: Identity) -> Answer:
    """Answer one action; raises AwsError."""
    if call.action == "DescribeOrganization":
        return document({"Organization": _organization(cloud)})
    if caller.account_id not in (cloud.management, cloud.hub):
        raise AwsError("AccessDeniedException", "You don't have permissions to access this resource.")
    if cloud.board.take("organization_throttles"):
        raise AwsError(
            "TooManyRequestsException",
            "AWS Organizations can't complete your request because another request is already in progress. Try again later.",
        )
    return document(_ACTIONS[call.action](cloud, call))


def actions() -> frozenset[str]:
    """The actions that there are."""
    return frozenset({"DescribeOrganization", *_ACTIONS})


def root_id(cloud: Cloud) -> str:
    """The id of the organization's root."""
    return "r-" + _short(cloud.organization_id, 4)


def unit_id(cloud: Cloud, path: str) -> str:
    """The id of an organizational unit by its path, such as `Workloads/Prod`; the root for an empty path."""
    root = root_id(cloud)
    return f"ou-{root.removeprefix('r-')}-{_short(cloud.organization_id + path, 8)}" if path else root


def _short(text: str, length: int) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "".join("abcdefghijklmnopqrstuvwxyz0123456789"[byte % 36] for byte in digest[:length])


def account_entry(cloud: Cloud, account: Account) -> dict[str, Any]:
    """An account as Organizations describes it."""
    entry: dict[str, Any] = {
        "Id": account.id,
        "Arn": f"arn:{cloud.place.name}:organizations::{cloud.management}:account/{cloud.organization_id}/{account.id}",
        "Email": f"aws+{account.id}@contoso.example",
        "Name": account.name,
        "Status": _status(account.state),
        "State": account.state,
        "Paths": [_path(cloud, account)],
        "JoinedMethod": account.joined,
        "JoinedTimestamp": JOINED,
    }
    if cloud.switches.account_status == "state":
        del entry["Status"]
    return entry


def _status(state: str) -> str:
    # The older field has three values; a closed account was SUSPENDED in it (AWS Cloud Operations Blog on account state).
    return {"CLOSED": "SUSPENDED", "PENDING_ACTIVATION": "ACTIVE"}.get(state, state)


def _path(cloud: Cloud, account: Account) -> str:
    steps = account.ou.split("/") if account.ou else []
    units = [unit_id(cloud, "/".join(steps[: depth + 1])) for depth in range(len(steps))]
    return "/".join([cloud.organization_id, root_id(cloud), *units, account.id]) + "/"


def _organization(cloud: Cloud) -> dict[str, Any]:
    return {
        "Id": cloud.organization_id,
        "Arn": f"arn:{cloud.place.name}:organizations::{cloud.management}:organization/{cloud.organization_id}",
        "FeatureSet": "ALL",
        "MasterAccountArn": f"arn:{cloud.place.name}:organizations::{cloud.management}:account/{cloud.organization_id}/{cloud.management}",
        "MasterAccountId": cloud.management,
        "MasterAccountEmail": f"aws+{cloud.management}@contoso.example",
        "AvailablePolicyTypes": [],
    }


def _list_accounts(cloud: Cloud, call: Call) -> dict[str, Any]:
    found = _page(call, list(cloud.accounts.values()), cloud.switches.empty_page)
    return found | {"Accounts": [account_entry(cloud, account) for account in found["Accounts"]]}


def _accounts_for_parent(cloud: Cloud, call: Call) -> dict[str, Any]:
    parent = _known_parent(cloud, call.text("ParentId"))
    found = _page(call, [one for one in cloud.accounts.values() if unit_id(cloud, one.ou) == parent], 0)
    return found | {"Accounts": [account_entry(cloud, account) for account in found["Accounts"]]}


def _page(call: Call, everything: list[Account], empty_after: int) -> dict[str, Any]:
    """One page; after `empty_after` full pages comes an empty one that has a NextToken, as the API reference warns."""
    size = call.whole("MaxResults", 20)
    if not 1 <= size <= 20:
        raise AwsError("InvalidInputException", "You provided a value for MaxResults that is outside the range of 1 to 20.")
    start, after_empty = _place(call.text("NextToken"))
    if empty_after and start == empty_after * size and not after_empty and start < len(everything):
        return {"Accounts": [], "NextToken": _token(start, empty=1)}
    more = start + size < len(everything)
    return {"Accounts": everything[start : start + size]} | ({"NextToken": _token(start + size)} if more else {})


def _token(start: int, *, empty: int = 0) -> str:
    return base64.b64encode(json.dumps([start, empty]).encode()).decode()


def _place(token: str) -> tuple[int, int]:
    if not token:
        return 0, 0
    try:
        start, empty = json.loads(base64.b64decode(token, validate=True))
        return int(start), int(empty)
    except (ValueError, TypeError):
        raise AwsError("InvalidInputException", "You specified an invalid value for NextToken.") from None


def _describe_account(cloud: Cloud, call: Call) -> dict[str, Any]:
    return {"Account": account_entry(cloud, _known_account(cloud, call.text("AccountId")))}


def _known_account(cloud: Cloud, account_id: str) -> Account:
    if account_id not in cloud.accounts:
        raise AwsError("AccountNotFoundException", "You specified an account that doesn't exist.")
    return cloud.accounts[account_id]


def _units(cloud: Cloud) -> dict[str, str]:
    """Every organizational unit's path by its id, the root's too."""
    paths = {""}
    for account in cloud.accounts.values():
        steps = account.ou.split("/")
        paths.update("/".join(steps[: depth + 1]) for depth in range(len(steps)))
    return {unit_id(cloud, path): path for path in sorted(paths)}


def _known_parent(cloud: Cloud, parent: str) -> str:
    if parent not in _units(cloud):
        raise AwsError("ParentNotFoundException", "You specified a parent that doesn't exist.")
    return parent


def _parents(cloud: Cloud, call: Call) -> dict[str, Any]:
    child = call.text("ChildId")
    if child in cloud.accounts:
        path = cloud.accounts[child].ou
    elif child in _units(cloud) and child != root_id(cloud):
        path = _units(cloud)[child].rpartition("/")[0]
    else:
        raise AwsError("ChildNotFoundException", "You specified a child that doesn't exist.")
    return {"Parents": [{"Id": unit_id(cloud, path), "Type": "ORGANIZATIONAL_UNIT" if path else "ROOT"}]}


def _roots(cloud: Cloud, call: Call) -> dict[str, Any]:
    del call
    arn = f"arn:{cloud.place.name}:organizations::{cloud.management}:root/{cloud.organization_id}/{root_id(cloud)}"
    return {
        "Roots": [
            {"Id": root_id(cloud), "Arn": arn, "Name": "Root", "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]}
        ]
    }


def _units_for_parent(cloud: Cloud, call: Call) -> dict[str, Any]:
    units = _units(cloud)
    above = units[_known_parent(cloud, call.text("ParentId"))]
    inside = {uid: path for uid, path in units.items() if path and path.rpartition("/")[0] == above}
    prefix = f"arn:{cloud.place.name}:organizations::{cloud.management}:ou/{cloud.organization_id}/"
    return {"OrganizationalUnits": [{"Id": uid, "Arn": prefix + uid, "Name": path.rpartition("/")[2]} for uid, path in inside.items()]}


def _children(cloud: Cloud, call: Call) -> dict[str, Any]:
    parent, kind = _known_parent(cloud, call.text("ParentId")), call.text("ChildType")
    if kind == "ACCOUNT":
        inside = [one.id for one in cloud.accounts.values() if unit_id(cloud, one.ou) == parent]
    elif kind == "ORGANIZATIONAL_UNIT":
        inside = [one["Id"] for one in _units_for_parent(cloud, call)["OrganizationalUnits"]]
    else:
        raise AwsError("InvalidInputException", "You specified an invalid value for ChildType.")
    return {"Children": [{"Id": one, "Type": kind} for one in inside]}


def _unit(cloud: Cloud, call: Call) -> dict[str, Any]:
    wanted = call.text("OrganizationalUnitId")
    if wanted not in _units(cloud) or wanted == root_id(cloud):
        raise AwsError("OrganizationalUnitNotFoundException", "You specified an organizational unit that doesn't exist.")
    arn = f"arn:{cloud.place.name}:organizations::{cloud.management}:ou/{cloud.organization_id}/{wanted}"
    return {"OrganizationalUnit": {"Id": wanted, "Arn": arn, "Name": _units(cloud)[wanted].rpartition("/")[2]}}


def _summary(cloud: Cloud) -> dict[str, Any]:
    """The one policy of every organization: AWS's own, which allows everything."""
    arn = f"arn:{cloud.place.name}:organizations::aws:policy/service_control_policy/p-FullAWSAccess"
    about = {"Name": "FullAWSAccess", "Description": "Allows access to every operation", "Type": "SERVICE_CONTROL_POLICY"}
    return {"Id": "p-FullAWSAccess", "Arn": arn, "AwsManaged": True, **about}


def _policies(cloud: Cloud, call: Call) -> dict[str, Any]:
    return {"Policies": [_summary(cloud)] if call.text("Filter") == "SERVICE_CONTROL_POLICY" else []}


def _known_policy(cloud: Cloud, call: Call) -> dict[str, Any]:
    if call.text("PolicyId") != "p-FullAWSAccess":
        raise AwsError("PolicyNotFoundException", "You specified a policy that doesn't exist.")
    return _summary(cloud)


def _policy(cloud: Cloud, call: Call) -> dict[str, Any]:
    content = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    return {"Policy": {"PolicySummary": _known_policy(cloud, call), "Content": json.dumps(content)}}


def _targets(cloud: Cloud, call: Call) -> dict[str, Any]:
    _known_policy(cloud, call)
    return {"Targets": [{"TargetId": root_id(cloud), "Arn": _roots(cloud, call)["Roots"][0]["Arn"], "Name": "Root", "Type": "ROOT"}]}


_ACTIONS: dict[str, Callable[[Cloud, Call], dict[str, Any]]] = {
    "ListAccounts": _list_accounts,
    "ListAccountsForParent": _accounts_for_parent,
    "DescribeAccount": _describe_account,
    "ListChildren": _children,
    "ListParents": _parents,
    "ListRoots": _roots,
    "ListOrganizationalUnitsForParent": _units_for_parent,
    "DescribeOrganizationalUnit": _unit,
    "ListPolicies": _policies,
    "ListPoliciesForTarget": _policies,
    "DescribePolicy": _policy,
    "ListTargetsForPolicy": _targets,
}
