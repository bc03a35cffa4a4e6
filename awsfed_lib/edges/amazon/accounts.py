"""The accounts of an organization as a service that plans are applied to: `core.apply.Service` for AWS.

It acts through the writer role, which is another role than the one that reads, and its gate lets through exactly the
requests of the plan that is open. Each account is written to by one thread, one request after the other: IAM refuses
concurrent changes of one object, and its rates count per account.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import Any

import boto3
from botocore import xform_name
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from awsfed_lib.core import apply
from awsfed_lib.core.change import Request, Subject
from awsfed_lib.core.errors import UnreadError
from awsfed_lib.core.outcome import Answer
from awsfed_lib.edges.amazon import live_objects, verdicts
from awsfed_lib.edges.amazon.acting import acting_in
from awsfed_lib.edges.amazon.allowed import AwsPlanGate
from awsfed_lib.edges.amazon.hub import Hub
from awsfed_lib.edges.amazon.organization import Organization
from awsfed_lib.edges.amazon.problems import DENIED, Reader, code_of, message_of, problem
from awsfed_lib.edges.amazon.session import session_for
from awsfed_lib.edges.amazon.verdicts import Verdict
from awsfed_lib.edges.entra.clouds import SANDBOX
from awsfed_lib.edges.entra.pace import Clock

# IAM: "up to a minute" is rare, seconds are usual (github.com/hashicorp/terraform-provider-aws issue 6566).
PAUSES = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 30.0)
READS = 1  # what IAM shows once it keeps; it is late, and does not go back and forth as replicas of Graph do
FRESH = 600.0  # seconds; the credentials of an account live for 900
FAILURES = (ClientError, BotoCoreError, ResponseParserError)


class Accounts:
    """AWS for plans. `organization` names the writer role in `via`; `realm` is the hub's account and partition.

    Reads raise UnreadError when an account could not be read. Raises SignInError and ParameterError as `Hub` does.
    """

    def __init__(self, organization: Organization, *, session: boto3.Session | None = None, clock: Clock = Clock()) -> None:  # noqa: B008  frozen
        given = organization
        self._hub = Hub(session or session_for(given.cloud), partition=given.partition, workers=given.workers, gate=AwsPlanGate())
        self._organization, self._clock = organization, clock
        self._held: dict[str, tuple[float, Credentials]] = {}
        self._lock = Lock()
        self._ahead: dict[tuple[str, str], Mapping[str, Any] | UnreadError | None] = {}
        scale = 0.001 if given.cloud == SANDBOX else 1.0
        self.patience = apply.Patience(READS, tuple(pause * scale for pause in PAUSES))
        self.realm = f"{self._hub.account_id}/{given.partition}"

    @property
    def subject(self) -> Subject:
        """The organization, as the subject of a plan."""
        account_id = self._hub.account_id
        return Subject("organization", account_id, f"the AWS accounts that {account_id} reaches", self.realm)

    @property
    def arn(self) -> str:
        """ARN of the identity that awsfed runs as."""
        return self._hub.arn

    @contextmanager
    def together(self, keys: Sequence[tuple[str, str]]) -> Iterator[None]:
        """Read these (table, ARN) now, accounts beside each other; the next reading of each in this context takes what was read."""
        by_account: dict[str, list[tuple[str, str]]] = {}
        for key in keys:
            by_account.setdefault(live_objects.account_of(key[1]), []).append(key)
        with ThreadPoolExecutor(self._organization.workers, thread_name_prefix="awsfed") as threads:
            parts = threads.map(lambda of_one: [(key, self._tried(*key)) for key in of_one], by_account.values())
            self._ahead = dict(pair for part in parts for pair in part)
        try:
            yield
        finally:
            self._ahead = {}

    def _tried(self, table: str, of: str) -> Mapping[str, Any] | UnreadError | None:
        try:
            return self._fresh(table, of)
        except UnreadError as error:
            return error

    # apply.Service

    def live(self, table: str, of: str) -> tuple[str, ...]:
        """Read the facts of the object whose ARN is `of`: table saml_providers or iam_role; none when it is not there."""
        return live_objects.facts_of(table, of, self._read(table, of))

    def snapshot(self, table: str, of: str) -> bytes:
        """Read the object as AWS sends it, to restore from."""
        content = {"table": table, "of": of, "value": self._read(table, of)}
        return json.dumps(content, ensure_ascii=False, indent=1, default=str).encode()

    def permit(self, requests: Sequence[Request]) -> AbstractContextManager[None]:
        """Let exactly these requests through while the context is open."""
        return self._hub.gate.permit(requests)

    def send(self, requests: Sequence[Request]) -> list[Answer]:
        """Send requests that do not depend on each other, accounts beside each other; one answer each, in order."""
        by_account: dict[str, list[int]] = {}
        for index, request in enumerate(requests):
            by_account.setdefault(request.account_id, []).append(index)
        with ThreadPoolExecutor(self._organization.workers, thread_name_prefix="awsfed") as threads:
            parts = threads.map(lambda indexes: [(index, self._settle(requests[index])) for index in indexes], by_account.values())
            answers = dict(pair for part in parts for pair in part)
        return [answers[index] for index in range(len(requests))]

    def wait(self, seconds: float) -> None:
        """Wait."""
        self._clock.sleep(seconds)

    def _settle(self, request: Request) -> Answer:
        """Send one request until its answer is clear, or patience ends; compare again before each further sending."""
        verdict = self._sent(request)
        for seconds in self.patience.pauses:
            if not verdict.again:
                break
            self.wait(seconds)
            if not apply.as_expected(request, self):
                words = f"{verdict.answer.detail} Meanwhile the live state changed, so it was not sent again."
                return verdict.answer._replace(detail=words)
            verdict = self._sent(request)
        return verdict.answer

    def _sent(self, request: Request) -> Verdict:
        operation = request.method.removeprefix("iam:")
        try:
            with self._acting(request.account_id):
                return verdicts.done(getattr(self._hub.iam_once, xform_name(operation))(**request.content))
        except FAILURES as error:
            return verdicts.failed(error, operation)
        except UnreadError as error:
            return Verdict(Answer("refused", 0, f"Nothing was sent. {error.what}"))

    def _read(self, table: str, of: str) -> Mapping[str, Any] | None:
        if (table, of) not in self._ahead:
            return self._fresh(table, of)
        found = self._ahead.pop((table, of))
        if isinstance(found, UnreadError):
            raise found
        return found

    def _fresh(self, table: str, of: str) -> Mapping[str, Any] | None:
        account_id = live_objects.account_of(of)
        try:
            with self._acting(account_id):
                return live_objects.read(self._hub.iam, table, of)
        except FAILURES as error:
            raise self._unread(error, account_id, of) from None

    @contextmanager
    def _acting(self, account_id: str) -> Iterator[None]:
        """Act in the account through the writer role; raises UnreadError when that role cannot be assumed."""
        try:
            credentials = self._credentials(account_id)
        except FAILURES as error:
            raise self._unread(error, account_id, "") from None
        with acting_in(account_id, credentials):
            yield

    def _credentials(self, account_id: str) -> Credentials:
        with self._lock:
            when, held = self._held.get(account_id, (0.0, None))
        if held is not None and self._clock.ticks() - when < FRESH:
            return held
        made = self._hub.credentials(account_id, self._organization.via, self._organization.external_id)
        with self._lock:
            self._held[account_id] = (self._clock.ticks(), made)
        return made

    def _unread(self, error: Exception, account_id: str, of: str) -> UnreadError:
        via = self._organization.via
        if isinstance(error, ClientError) and code_of(error) in DENIED and error.operation_name != "AssumeRole":
            words = f"{via} may not call {error.operation_name}. Give it the policy that 02-accounts exports. AWS says: {message_of(error)}"
        else:
            words = problem(error, Reader(via, self._organization.external_id, manages=False)).text
        return UnreadError(f"Account {account_id}: {words}", where=of or account_id)
