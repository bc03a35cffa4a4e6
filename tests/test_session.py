"""Sessions and the hub: whose credentials, which partition, and what is said when there are none. Real boto3 throughout."""

import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from awsfed_lib.core.errors import AwsError, ParameterError, SignInError
from awsfed_lib.edges.amazon.hub import Hub, hub
from awsfed_lib.edges.amazon.session import LoopbackSession, session_for
from awsfed_lib.sandbox.server import Server

_spec = spec_from_file_location("rendered", Path(__file__).with_name("rendered.py"))
rendered = module_from_spec(_spec)
_spec.loader.exec_module(rendered)

VARIABLES = ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL")


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without AWS credentials, whatever this one has; and nobody waits between attempts."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))


@contextmanager
def canned(fault: Any = rendered.no_fault) -> Iterator[tuple[Any, str]]:
    served = rendered.Rendered(1, 1, fault=fault)
    with Server(served.app) as server:
        yield served, server.url


def opened(url: str, **more: Any) -> Hub:
    return Hub(rendered.session(url), **{"partition": "aws", "workers": 1, **more})


def test_no_credentials_is_a_sign_in_error_that_says_how() -> None:
    with pytest.raises(SignInError, match=r"no (usable )?AWS credentials") as refused:
        hub("global", "aws", 1)
    assert "aws sso login" in refused.value.remedy


def test_profile_that_is_not_there_is_a_sign_in_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    with pytest.raises(SignInError, match="nowhere"):
        session_for("global")


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId", "SignatureDoesNotMatch"])
def test_credentials_that_aws_does_not_take_are_a_sign_in_error_in_its_own_words(code: str) -> None:
    refusal = rendered.error(403, code, "The security token included in the request is invalid.")
    with canned(lambda _: refusal) as (_, url), pytest.raises(SignInError, match=rf"{code}\): The security token included"):
        opened(url)


def test_other_refusal_is_no_question_of_credentials() -> None:
    with canned(lambda _: rendered.error(400, "Throttling", "Rate exceeded")) as (_, url), pytest.raises(AwsError, match="Throttling"):
        opened(url)


def test_nobody_answers_or_somebody_else_does() -> None:
    with canned() as (_, url):
        pass
    with pytest.raises(AwsError, match="could not be reached"):
        opened(url)
    with canned(lambda _: (200, b"<html>sign in to the network")) as (_, url), pytest.raises(AwsError, match="something else answered"):
        opened(url)


def test_credentials_of_another_partition_are_a_parameter_error() -> None:
    with canned() as (_, url), pytest.raises(ParameterError, match="are of partition aws, and the parameter says aws-cn"):
        opened(url, partition="aws-cn")


@pytest.mark.parametrize(
    ("partition", "region", "expected"),
    [
        ("aws-us-gov", "us-east-1", "us-gov-west-1"),
        ("aws-us-gov", "us-gov-east-1", "us-gov-east-1"),
        ("aws-cn", None, "cn-north-1"),
        ("aws", "eu-west-1", "eu-west-1"),
    ],
)
def test_region_is_one_of_the_partition(partition: str, region: str | None, expected: str) -> None:
    from awsfed_lib.edges.amazon.hub import _region

    assert _region(boto3.Session(region_name=region), partition) == expected


def test_hub_knows_who_it_is() -> None:
    with canned() as (_, url):
        made = opened(url)
    assert (made.account_id, made.arn) == (rendered.HUB, f"arn:aws:iam::{rendered.HUB}:user/hub")


def test_session_that_was_made_by_hand_does_not_travel() -> None:
    with canned() as (_, url), pytest.raises(SignInError, match="cannot travel"):
        pickle.dumps(opened(url))


def test_sandbox_session_talks_to_loopback_only_and_through_no_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Company machines set HTTP_PROXY; a sandbox on this machine must not be asked through it."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for folder in ("notebooks", "parameters", ".sandbox"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("AWSFED_ROOT", str(tmp_path))
    with canned() as (_, url):
        keys = {"access_key_id": f"AKIA{rendered.HUB}0000", "secret_access_key": "hush"}
        described = json.loads(rendered.described(url, "", "").model_dump_json()) | {"aws": keys}
        file = tmp_path / ".sandbox" / "sandbox.json"
        file.write_text(json.dumps(described))
        file.chmod(0o600)
        session = session_for("sandbox")
        assert session.client("sts").get_caller_identity()["Account"] == rendered.HUB
        assert hub("sandbox", "aws", 2).account_id == rendered.HUB
    assert isinstance(session, LoopbackSession)
    assert session.client("iam").meta.endpoint_url == url


def test_sandbox_that_does_not_run_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("notebooks", "parameters"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("AWSFED_ROOT", str(tmp_path))
    with pytest.raises(ParameterError, match="sandbox is not running"):
        session_for("sandbox")


def test_the_callers_own_session_reads_times_as_before() -> None:
    """The faster reading of times is for the shared clients only."""
    with canned() as (_, url):
        session = rendered.session(url)
        Hub(session, partition="aws", workers=1)
        parser = session._session.get_component("response_parser_factory").create_parser("query")
        assert "_moment" not in repr(parser._timestamp_parser)


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01T00:00:00Z",
        "2024-01-01T00:00:00+00:00",
        "2024-01-01T00:00:00.000Z",
        "20240101T000000Z",
        "Mon, 01 Jan 2024 00:00:00 GMT",
        1704067200,
    ],
)
def test_times_are_read_as_botocore_reads_them(text: Any) -> None:
    from botocore.utils import parse_timestamp

    from awsfed_lib.edges.amazon.hub import _moment

    assert _moment(text) == parse_timestamp(text)


@pytest.mark.parametrize("line", ["credential_process = echo no-json", "credential_process = /nonexistent/helper"])
def test_a_profile_whose_helper_is_broken_is_a_sign_in_error_that_names_it(tmp_path, monkeypatch, line):
    config = tmp_path / "config"
    config.write_text(f"[profile helper]\nregion = us-east-1\n{line}\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "helper")
    with pytest.raises(SignInError, match="profile helper") as caught:
        Hub(session_for("global"), partition="aws", workers=1)
    assert caught.value.code == "sign-in"
