"""One running AWS side for all tests here; every test finds it as the world describes it."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from awsfed_lib.sandbox.amazon import metadata
from awsfed_lib.sandbox.aws import Org
from awsfed_lib.sandbox.org import world
from awsfed_lib.sandbox.server import Server

SEED = 4242


class AwsSide:
    """The organization behind real HTTP, and real boto3 clients for it."""

    def __init__(self, made: dict[str, Any]) -> None:
        self.world = made
        self.org = Org(made["org"], lambda app, which: metadata.foreign())
        self.server = Server(self.org.app)
        self.url = self.server.url
        self.clients: list[Any] = []

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.server.close()

    def client(self, service: str, who: str | dict[str, Any] = "hub", **config: Any) -> Any:
        """A client for `hub`, `management`, `stranger`, or for the answer of an AssumeRole."""
        if isinstance(who, str):
            identity = self.org.credentials[who]
            keys = {"AccessKeyId": identity.access_key, "SecretAccessKey": identity.secret, "SessionToken": None}
        else:
            keys = who["Credentials"]
        made = boto3.client(
            service,
            region_name=config.pop("region", self.org.cloud.place.region),
            endpoint_url=self.url,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            config=Config(retries={"mode": "standard", "total_max_attempts": config.pop("attempts", 1)}, **config),
        )
        self.clients.append(made)
        return made

    def assume(self, account: str, role: str = "awsfed-audit", who: str | dict[str, Any] = "hub", **more: Any) -> dict[str, Any]:
        arn = self.org.cloud.place.iam(account, f"role/{role}")
        return self.client("sts", who).assume_role(RoleArn=arn, RoleSessionName="test", **({"ExternalId": "awsfed-sandbox"} | more))

    def iam(self, account: str, role: str = "awsfed-audit", **config: Any) -> Any:
        return self.client("iam", self.assume(account, role), **config)

    def account(self, **wanted: Any) -> dict[str, Any]:
        """The first account whose entry has these values."""
        return next(one for one in self.world["org"]["accounts"] if all(one[key] == value for key, value in wanted.items()))

    @property
    def sales(self) -> str:
        """The id of the demo's account."""
        return str(self.world["demo"]["account"])

    def switch(self, **switches: Any) -> dict[str, Any]:
        """Change switches over HTTP, as another process would."""
        request = urllib.request.Request(f"{self.url}/sandbox/switches", json.dumps(switches).encode(), method="POST")
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


@pytest.fixture(scope="session")
def _running() -> Iterator[AwsSide]:
    side = AwsSide(world(SEED))
    yield side
    side.close()


@pytest.fixture
def aws(_running: AwsSide) -> Iterator[AwsSide]:
    """The AWS side, as if just started."""
    _running.org.reset()
    yield _running
    while _running.clients:
        _running.clients.pop().close()


@pytest.fixture
def refusal() -> Any:
    """Call something that AWS refuses; returns code, message and HTTP status."""

    def ask(call: Any, **arguments: Any) -> tuple[str, str, int]:
        from botocore.exceptions import ClientError

        with pytest.raises(ClientError) as caught:
            call(**arguments)
        error = caught.value.response
        return error["Error"]["Code"], error["Error"]["Message"], error["ResponseMetadata"]["HTTPStatusCode"]

    return ask
