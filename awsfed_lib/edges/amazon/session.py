"""Sessions: how awsfed gets AWS credentials, and what it says when there are none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader, create_loader
from botocore.parsers import ResponseParserError

from awsfed_lib.core.errors import AwsError, SignInError
from awsfed_lib.edges.amazon.problems import NETWORK, UNUSABLE, code_of, message_of
from awsfed_lib.edges.entra import clouds

OWN = "of the credentials"


@lru_cache(maxsize=4)
def _loader(data_path: str | None) -> Loader:
    return create_loader(data_path)


def core_session(profile: str | None = None) -> botocore.session.Session:
    """Make a botocore session that reads the models of services once in a process: they take most of the time of a new client."""
    core = botocore.session.Session(profile=profile)
    core.register_component("data_loader", _loader(core.get_config_variable("data_path")))
    return core


class LoopbackSession(boto3.Session):
    """A session whose clients all talk to the sandbox on this machine, without any proxy."""

    def __init__(self, sandbox: clouds.Sandbox) -> None:
        super().__init__(
            aws_access_key_id=sandbox.aws.access_key_id,
            aws_secret_access_key=sandbox.aws.secret_access_key.get_secret_value(),
            region_name=sandbox.aws.region,
            botocore_session=core_session(),
        )
        self.endpoint = sandbox.aws_url

    def client(self, *args: Any, **more: Any) -> Any:
        """Make a client for the sandbox."""
        own = Config(proxies={}).merge(more.pop("config", None) or Config())
        return super().client(*args, **{"endpoint_url": self.endpoint, "config": own, **more})


def session_for(cloud: str) -> boto3.Session:
    """Return the session of a cloud: the sandbox's own throw-away keys, else whatever the environment gives boto3.

    Raises ParameterError when the sandbox is not running, SignInError when a named profile is not there.
    """
    if cloud == clouds.SANDBOX:
        return LoopbackSession(clouds.sandbox())
    with signing_in():
        return boto3.Session(botocore_session=core_session())


@contextmanager
def signing_in() -> Iterator[None]:
    """Turn what boto3 and AWS say of the credentials of this machine into SignInError, and their other refusals into AwsError."""
    try:
        yield
    except ClientError as error:
        if code_of(error) not in UNUSABLE:
            raise refused(error, "Run again.") from None
        raise no_sign_in(f"AWS does not take the credentials of this machine ({code_of(error)}): {message_of(error)}") from None
    except (*NETWORK, ResponseParserError) as error:
        what = f"AWS could not be reached, or something else answered in its place: {error}"
        raise AwsError(what, account_id=OWN, operation="sign in", remedy="Check network, proxy and region, then run again.") from None
    except BotoCoreError as error:
        raise no_sign_in(f"There are no usable AWS credentials ({type(error).__name__}): {error}") from None
    except (ValueError, OSError, EOFError, RuntimeError) as error:  # a helper's broken answer, or a prompt that nobody can answer
        profile = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or "default"
        raise no_sign_in(
            f"The AWS profile {profile} gave no credentials ({type(error).__name__}). Its credential_process, mfa_serial or SSO session"
            " does not work in a run without a prompt."
        ) from None


def refused(error: ClientError, remedy: str) -> AwsError:
    """Make the AwsError that says what AWS refused to the credentials of this machine."""
    what = f"AWS refused {error.operation_name} ({code_of(error)}): {message_of(error)}"
    return AwsError(what, account_id=OWN, operation=error.operation_name, code=code_of(error), remedy=remedy)


def no_sign_in(what: str) -> SignInError:
    """Make the SignInError that says `what`, and how people sign in to AWS."""
    return SignInError(
        what,
        where="AWS",
        remedy="Sign in first: aws sso login and AWS_PROFILE, an instance or task role, or AWS_ROLE_ARN with AWS_WEB_IDENTITY_TOKEN_FILE.",
    )
