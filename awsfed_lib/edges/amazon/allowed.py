"""What may be asked of AWS: a short list of reads always; a write only while an approved plan that holds it is open.

The check is a botocore hook on every client of awsfed, so that no call gets around it, whoever holds the client.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from awsfed_lib.core.change import Request
from awsfed_lib.core.errors import WriteForbidden
from awsfed_lib.core.tables import canonical
from awsfed_lib.edges.amazon.acting import acting

READS = frozenset({
    "cloudformation:DescribeStackResources", "cloudtrail:LookupEvents",
    "iam:GetAccountAuthorizationDetails", "iam:GetSAMLProvider", "iam:ListRoles", "iam:ListSAMLProviders",
    "organizations:ListAccounts", "organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListRoots",
    "sts:AssumeRole", "sts:GetCallerIdentity",
})  # fmt: skip
READ_BACK = frozenset({"iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"})
"""What the writing service reads of one role, before and after it sends something."""
EVENTS = ("before-parameter-build", "before-call")
Literal = tuple[str, str, str]


class AwsGate:
    """Lets the reads through, and nothing else; nobody can open it."""

    def __init__(self, reads: frozenset[str] = READS) -> None:
        self._reads = reads
        self._open: frozenset[Literal] = frozenset()

    def guard(self, client: Any) -> None:
        """Check every call of `client`, before its parameters are built and before it is sent."""
        for event in EVENTS:
            client.meta.events.register_first(event, self._check_parameters if event == "before-parameter-build" else self._check_name)

    @contextmanager
    def permit(self, requests: Sequence[Request]) -> Iterator[None]:
        """Refuse: this runbook only reads."""
        if requests:
            raise WriteForbidden("This runbook only reads AWS; nothing was sent.", remedy="Take the runbook that makes the change.")
        yield

    def _check_parameters(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        if _action(model) not in self._reads and literal(acting().account_id, _action(model), params) not in self._open:
            raise _forbidden(_action(model))

    def _check_name(self, model: Any, **_: Any) -> None:
        """Whatever was built, only the name of a permitted operation may leave."""
        if _action(model) not in self._reads and not any(action == _action(model) for action, _, _ in self._open):
            raise _forbidden(_action(model))


class AwsPlanGate(AwsGate):
    """Lets the reads through, and while `permit` is open exactly the requests of a plan."""

    def __init__(self) -> None:
        super().__init__(READS | READ_BACK)

    @contextmanager
    def permit(self, requests: Sequence[Request]) -> Iterator[None]:
        """Let exactly these requests through while the context is open."""
        before, self._open = self._open, frozenset(literal(r.account_id, r.method, r.content) for r in requests)
        try:
            yield
        finally:
            self._open = before


def literal(account_id: str, action: str, parameters: Mapping[str, Any]) -> Literal:
    """Write a call as a plan holds it: its action such as iam:UpdateSAMLProvider, the account, its parameters as canonical JSON."""
    return (action, account_id, canonical(json.loads(json.dumps(parameters))))


def _action(model: Any) -> str:
    return f"{model.service_model.service_name}:{model.name}"


def _forbidden(action: str) -> WriteForbidden:
    return WriteForbidden(
        f"{action} was stopped before it left: awsfed only reads AWS, and no approved plan holds this call.",
        remedy="Changes go through a plan: look at it, and run the runbook again with `approved` set to its id.",
    )
