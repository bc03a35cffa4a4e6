"""The AWS side of the sandbox: an organization on moto behind a layer that answers and refuses as AWS does.

`Org.app` is one WSGI application for IAM, STS, Organizations, CloudTrail and CloudFormation, and for the sandbox's own paths: `GET /sandbox/requests` (what was asked,
for assertions), `GET` and `POST /sandbox/switches` (faults, see AwsSwitches), `POST /sandbox/reset` (back to the world).
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from awsfed_lib.sandbox.amazon import federation, gate, lookup, organizations, pages, providers, roles, sign_in_events, stacks, sts, wire
from awsfed_lib.sandbox.amazon.assertion import SamlRefused
from awsfed_lib.sandbox.amazon.cloud import Account, Cloud, Metadata
from awsfed_lib.sandbox.amazon.credentials import Identity
from awsfed_lib.sandbox.amazon.journal import Journal
from awsfed_lib.sandbox.amazon.moto_app import Moto
from awsfed_lib.sandbox.amazon.switches import AwsSwitches, Switchboard
from awsfed_lib.sandbox.amazon.wire import Answer, AwsError, Call

__all__ = ["AwsError", "AwsSwitches", "Identity", "Org", "SamlRefused"]

Operation = Callable[[Cloud, Account, Call], Answer]
CONCURRENT = (
    "The request was rejected because multiple requests to change this object were submitted simultaneously. "
    "Wait a few minutes and submit your request again."
)


class Org:
    """An AWS organization made from the `org` part of a world.

    `metadata(service principal id, "current" | "stale")` renders the document that an account's provider holds. `clock` tells the time
    (UTC). One organization of the same accounts at a time in one process: moto keeps its state per account, process-wide.
    """

    def __init__(
        self,
        world: Mapping[str, Any],
        metadata: Metadata,
        switches: AwsSwitches | None = None,
        *,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.clock = clock or _utc_now
        self._first = switches or AwsSwitches()
        self.board = Switchboard(self._first)
        self.cloud = Cloud(world, metadata, self.board, self.clock)
        sign_in_events.past(self.cloud)
        self.journal = Journal()
        self._moto = Moto()
        self._checks = roles.checks()
        self._operations: dict[str, Operation] = {**providers.operations(), **roles.operations(), **_readings()}

    @property
    def credentials(self) -> dict[str, Identity]:
        """Long-term keys: `hub` (may list the organization and assume the two roles), `management`, `stranger` (an ordinary member)."""
        return self.cloud.users

    @property
    def requests(self) -> list[dict[str, Any]]:
        """What was asked so far."""
        return self.journal.entries()

    def reset(self) -> None:
        """Back to the world and the first switches; long-term keys stay."""
        self.board.now = self._first
        self.cloud.reset()
        sign_in_events.past(self.cloud)
        self.journal.clear()

    def sign_in(self, saml_response: str, role_arn: str, provider_arn: str, duration: int = 3600) -> dict[str, Any]:
        """Sign in as AssumeRoleWithSAML does; the answer has boto3's shape. Raises SamlRefused with AWS's own code and words."""
        grant, identity = sts.sign_in(self.cloud, federation.Presented(saml_response, role_arn, provider_arn, duration))
        return {
            "Credentials": {
                "AccessKeyId": identity.access_key,
                "SecretAccessKey": identity.secret,
                "SessionToken": identity.token,
                "Expiration": identity.expires,
            },
            "AssumedRoleUser": {"AssumedRoleId": identity.user_id, "Arn": identity.arn},
            "Subject": grant.subject,
            "Issuer": grant.issuer,
            "Audience": grant.recipient,
            "NameQualifier": grant.name_qualifier,
        }

    def check(self, saml_response: str, role_arn: str, provider_arn: str, duration: int = 3600) -> None:
        """Judge a sign-in without carrying it out; raises SamlRefused."""
        federation.check(self.cloud, federation.Presented(saml_response, role_arn, provider_arn, duration))

    def app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one WSGI request."""
        answer = self._own(environ) if environ.get("PATH_INFO", "").startswith("/sandbox/") else self._aws(environ)
        if self.board.now.latency_ms:
            time.sleep(self.board.now.latency_ms / 1000)
        headers = [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))]
        start_response(f"{answer.status} {'OK' if answer.status < 300 else 'Refused'}", headers)
        return [answer.body]

    def _aws(self, environ: dict[str, Any]) -> Answer:
        call, caller = None, None
        try:
            call = wire.read(environ)
            caller = self._caller(call)
            answer = self._answer(call, caller)
            error = ""
        except AwsError as refused:
            service = call.service if call else "iam"
            answer, error = wire.refusal(service, refused), refused.code
        self.journal.write(environ, call, caller, (answer.status, error))
        return answer

    def _caller(self, call: Call) -> Identity | None:
        if call.action == "AssumeRoleWithSAML":
            return None  # the one call that nobody signs
        if call.service in ("iam", "sts", "organizations", "cloudtrail", "cloudformation"):
            gate.require_partition(self.cloud, call)
        return self.cloud.keys.caller(call)

    def _answer(self, call: Call, caller: Identity | None) -> Answer:
        if caller is None:
            return sts.assume_role_with_saml(self.cloud, call)
        if call.service == "sts" and call.action == "GetCallerIdentity":
            return sts.caller_identity(call, caller)
        if call.service == "sts" and call.action == "AssumeRole":
            return sts.assume_role(self.cloud, call, caller)
        if call.service == "organizations" and call.action in organizations.actions():
            gate.require_allowed(self.cloud, caller, call)
            return organizations.answer(self.cloud, call, caller)
        if call.service == "cloudtrail" and call.action == "LookupEvents":
            gate.require_allowed(self.cloud, caller, call)
            return lookup.events(self.cloud, self.cloud.accounts[caller.account_id], call)
        if call.service == "cloudformation" and call.action == "DescribeStackResources":
            gate.require_allowed(self.cloud, caller, call)
            return stacks.describe(self.cloud.accounts[caller.account_id], call)
        if call.service == "iam" and (call.action in self._operations or call.action in self._checks):
            return self._iam(call, caller)
        raise AwsError("NotImplemented", f"The sandbox does not have {call.service}:{call.action}.", 501)

    def _iam(self, call: Call, caller: Identity) -> Answer:
        account = self.cloud.accounts[caller.account_id]
        gate.throttle(self.cloud, account)
        gate.require_allowed(self.cloud, caller, call)
        account.replica.require_born(call)
        if call.action.startswith(("Get", "List")):
            return account.replica.read(call, lambda: self._carry_out(call, account), self.board.now)
        if self.board.take("concurrent_modifications"):
            raise AwsError("ConcurrentModification", CONCURRENT, 409)
        with account.lock:
            answer = self._carry_out(call, account)
            account.touched()
            account.replica.wrote(_made(self.cloud, account, call), self.board.now)
        if self.board.take("lost_answers"):
            raise AwsError("ServiceFailure", "The request processing has failed because of an unknown error, exception or failure.", 500)
        return answer

    def _carry_out(self, call: Call, account: Account) -> Answer:
        if call.action in self._operations:
            return self._operations[call.action](self.cloud, account, call)
        self._checks[call.action](self.cloud, account, call)
        return self._moto.answer(call, account.id)

    def _own(self, environ: dict[str, Any]) -> Answer:
        """The sandbox's own paths."""
        what = (environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if what == ("GET", "/sandbox/requests"):
            return _json(self.requests)
        if what == ("GET", "/sandbox/switches"):
            return _json(vars(self.board.now))
        if what == ("POST", "/sandbox/reset"):
            self.reset()
            return _json({"reset": True})
        if what == ("POST", "/sandbox/switches"):
            return self._switch(environ)
        return _json({"error": f"The sandbox has no {what[0]} {what[1]}."}, status=404)

    def _switch(self, environ: dict[str, Any]) -> Answer:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            return _json(vars(self.board.change(json.loads(body))))
        except (ValueError, AttributeError) as wrong:
            return _json({"error": str(wrong)}, status=400)


def _readings() -> dict[str, Operation]:
    return {
        "ListRoles": lambda cloud, account, call: pages.list_roles(account, call, cloud.switches.page),
        "GetAccountAuthorizationDetails": lambda cloud, account, call: pages.authorization_details(account, call, cloud.switches.page),
    }


def _made(cloud: Cloud, account: Account, call: Call) -> str:
    """The name by which requests ask for what this one created; "" for nothing."""
    if call.action == "CreateSAMLProvider":
        return cloud.place.iam(account.id, f"saml-provider/{call.text('Name')}")
    return call.text("RoleName") if call.action == "CreateRole" else ""


def _json(value: Any, *, status: int = 200) -> Answer:
    return Answer(json.dumps(value).encode(), status, "application/json")


def _utc_now() -> datetime:
    return datetime.now(UTC)
