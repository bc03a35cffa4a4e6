"""The hub: the identity that awsfed runs as, and the few shared clients that serve a whole organization.

Sessions and the making of clients are not thread-safe, clients are (boto3 documentation, "Multithreading or
multiprocessing with clients"): all clients are made here, before any thread starts, or one at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.handlers import json_decode_policies
from botocore.utils import parse_timestamp

from awsfed_lib.core.errors import ParameterError, SignInError
from awsfed_lib.edges.amazon.acting import acting_in, refuse_other_key, sign_for_account
from awsfed_lib.edges.amazon.allowed import AwsGate
from awsfed_lib.edges.amazon.answers import refuse_halves, refuse_other_account, whole
from awsfed_lib.edges.amazon.problems import DENIED, code_of
from awsfed_lib.edges.amazon.session import LoopbackSession, core_session, no_sign_in, session_for, signing_in
from awsfed_lib.edges.records import held

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_sts import STSClient

REGIONS = {
    "aws": "us-east-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-cn": "cn-north-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-eusc": "eusc-de-east-1",
}
ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})  # what is sent is never sent again blindly
ATTEMPTS = 3  # few: botocore waits inside a worker; an account that is still throttled is asked again at the end
SESSION_SECONDS = 900  # the shortest there is: reading one account takes seconds


class Hub:
    """The identity that awsfed runs as, and the shared clients: sts and organizations with it, the others with whoever acts.

    `iam_once` is for writing: it sends a request once. `gate`: an AwsPlanGate where plans are carried out, else only reads pass.
    `recipe` (cloud, partition, workers) makes it travel to another process: only the recipe is pickled, never credentials,
    and the other process uses those of its own environment. Raises SignInError without usable credentials, ParameterError
    when they are of another partition than `partition`.
    """

    iam: IAMClient
    iam_once: IAMClient
    spoke: STSClient
    organizations: OrganizationsClient
    sts: STSClient

    def __init__(
        self,
        session: boto3.Session,
        *,
        partition: str,
        workers: int,
        recipe: tuple[str, str, int] | None = None,
        gate: AwsGate | None = None,
    ) -> None:
        self.session, self.partition, self.recipe = session, partition, recipe
        self.gate = gate or AwsGate()
        with signing_in():
            settings = client_settings(session, partition, workers)
            self.sts, self.organizations = self._own("sts", settings), self._own("organizations", settings)
            quick = self._quick = _quick(session)
            self._settings, self._regional, self._making = settings, dict[tuple[str, str], Any](), Lock()
            self.region: str = settings.region_name  # type: ignore[attr-defined]  # botocore sets it
            self.iam, self.spoke = self._shared(quick, "iam", settings), self._shared(quick, "sts", settings)
            self.iam_once = self._shared(quick, "iam", settings.merge(ONCE)) if gate else self.iam
            self.account_id, self.arn = self._identity()

    def _own(self, service: str, settings: Config) -> Any:
        client = self.session.client(service, config=settings)  # type: ignore[call-overload]  # a name, not a literal
        self.gate.guard(client)
        client.meta.events.register(f"after-call.{service}", refuse_halves)
        return client

    def _shared(self, quick: boto3.Session, service: str, settings: Config) -> Any:
        """Make a client without credentials of its own: what signs its requests is decided for each."""
        client = quick.client(  # type: ignore[call-overload]  # a name, not a literal
            service, endpoint_url=_endpoint(self.session), aws_access_key_id="none", aws_secret_access_key="none", config=settings  # noqa: S106  # signs nothing
        )  # fmt: skip
        self.gate.guard(client)
        client.meta.events.register(f"before-sign.{service}", sign_for_account)
        client.meta.events.register(f"before-send.{service}", refuse_other_key)
        client.meta.events.unregister(f"after-call.{service}", json_decode_policies)
        return client

    def regional(self, service: str, region: str) -> Any:
        """Give the shared client of CloudTrail or CloudFormation in that Region, made when it is first asked for, one at a time."""
        with self._making:
            if (service, region) not in self._regional:
                made = self._shared(self._quick, service, self._settings.merge(Config(region_name=region)))
                made.meta.events.register(f"after-call.{service}", refuse_halves)
                self._regional[service, region] = made
            return self._regional[service, region]

    def _identity(self) -> tuple[str, str]:
        own = self.session.get_credentials()
        if own is None:
            raise no_sign_in("There are no AWS credentials on this machine.")
        held.hold(own.secret_key or "", own.token or "")
        found = self.sts.get_caller_identity()
        arn: str = whole(found, "Arn")
        partition = arn.split(":")[1]
        if partition != self.partition:
            raise ParameterError(
                f"The AWS credentials are of partition {partition}, and the parameter says {self.partition}.",
                where=arn,
                remedy="Correct the parameter `partition`, or sign in to the other partition.",
            )
        return arn.split(":")[4], arn

    @contextmanager
    def reading(self, account_id: str, *, via: str, external_id: str) -> Iterator[None]:
        """Read in `account_id` through role `via` while the context is open.

        In the hub's own account the role may be missing, since stack sets do not reach the account that manages the
        organization, and nobody needs a role to read where one is: when it cannot be assumed there, the hub reads as itself.
        Nothing is ever written that way: a plan acts through the role that it names, or not at all. Raises ClientError.
        """
        try:
            credentials, role = self.credentials(account_id, via, external_id), via
        except ClientError as error:
            own = self.session.get_credentials()
            if code_of(error) not in DENIED or account_id != self.account_id or own is None:
                raise
            now = own.get_frozen_credentials()  # as they are now: a refresh midway would look like another key
            credentials, role = Credentials(now.access_key or "", now.secret_key or "", now.token), self._own_role
        with acting_in(account_id, credentials, role):
            yield

    @property
    def _own_role(self) -> str:
        """Name of the role that awsfed runs as; "" for a user."""
        found = re.fullmatch(r"arn:[a-z-]+:sts::[0-9]{12}:assumed-role/([^/]+)/.*", self.arn, re.ASCII)
        return found[1] if found else ""

    def credentials(self, account_id: str, via: str, external_id: str) -> Credentials:
        """Assume the role `via`; raises ClientError."""
        external: Any = {"ExternalId": external_id} if external_id else {}
        answer = self.sts.assume_role(
            RoleArn=f"arn:{self.partition}:iam::{account_id}:role/{via}",
            RoleSessionName="awsfed",
            DurationSeconds=SESSION_SECONDS,
            **external,
        )
        refuse_other_account(whole(answer, "AssumedRoleUser")["Arn"], account_id, "AssumeRole")
        granted = whole(answer, "Credentials")
        held.hold(granted["SecretAccessKey"], granted["SessionToken"])
        return Credentials(granted["AccessKeyId"], granted["SecretAccessKey"], granted["SessionToken"])

    def __reduce__(self) -> tuple[Any, ...]:
        if self.recipe is None:
            raise SignInError(
                "A session that was made by hand cannot travel to another process.",
                remedy="Leave `session` out, so that each process signs in from its own environment; or use threads.",
            )
        return (_reopened, self.recipe)


def hub(cloud: str, partition: str, workers: int, session: boto3.Session | None = None) -> Hub:
    """Open the hub of a cloud, with `session` when one is given. Errors as those of Hub and session_for."""
    recipe = (cloud, partition, workers) if session is None else None
    return Hub(session or session_for(cloud), partition=partition, workers=workers, recipe=recipe)


@lru_cache(maxsize=4)
def _reopened(cloud: str, partition: str, workers: int) -> Hub:
    """Open the hub once in each process of an executor."""
    return hub(cloud, partition, workers)


def client_settings(session: boto3.Session, partition: str, workers: int) -> Config:
    """Give what every client of a session is made with: region, retries, time limits; no proxy to the sandbox."""
    return Config(
        region_name=_region(session, partition),
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=workers,
        connect_timeout=10,
        read_timeout=60,
        proxies={} if _endpoint(session) else None,
        user_agent_extra="awsfed",
    )


def _endpoint(session: boto3.Session) -> str | None:
    return session.endpoint if isinstance(session, LoopbackSession) else None


def _region(session: boto3.Session, partition: str) -> str:
    """Take the region of the session when it is of the partition, else one that every account of the partition has."""
    region = session.region_name
    if region and (_endpoint(session) or session.get_partition_for_region(region) == partition):
        return region
    return REGIONS.get(partition, REGIONS["aws"])


def _quick(session: boto3.Session) -> boto3.Session:
    """Make a session for shared clients that reads answers faster; the caller's own session stays as it is.

    botocore reads times with dateutil, which takes half of the time of a page of roles; `datetime.fromisoformat` gives
    the same values. Policies are decoded by the reader, and only those about SAML.
    """
    core = core_session(None if session.profile_name == "default" else session.profile_name)
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
    return boto3.Session(botocore_session=core, region_name=session.region_name)


def _moment(text: Any) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return parse_timestamp(text)
