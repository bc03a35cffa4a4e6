"""One shared client for many accounts: the contract with botocore, pinned, and the guards around it."""

import contextvars
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials

from awsfed_lib.core.errors import AwsError, SignInError
from awsfed_lib.edges.amazon import acting
from awsfed_lib.edges.amazon.answers import refuse_other_account
from awsfed_lib.edges.amazon.hub import Hub
from awsfed_lib.sandbox.server import Server

_spec = spec_from_file_location("rendered", Path(__file__).with_name("rendered.py"))
rendered = module_from_spec(_spec)
_spec.loader.exec_module(rendered)


@pytest.fixture
def hub() -> Iterator[Hub]:
    canned = rendered.Rendered(200, 3)
    with Server(canned.app) as server:
        yield Hub(rendered.session(server.url), partition="aws", workers=16)


def keys(account: str) -> Credentials:
    return Credentials(f"ASIA{account}0000", "secret", "token")


def test_botocore_signs_with_the_credentials_in_the_request(hub: Hub) -> None:
    """The contract: botocore/signers.py takes request.context["signing"]["request_credentials"]. If this fails, stay on the pinned botocore."""
    with acting.acting_in("000000000007", keys("000000000007")):
        (provider,) = hub.iam.list_saml_providers()["SAMLProviderList"]
    assert provider["Arn"] == rendered.provider("000000000007")


def test_outside_of_an_account_nothing_is_signed_and_nothing_leaves(hub: Hub) -> None:
    """No default: a forgotten context must never act with the hub's own credentials."""
    with pytest.raises(SignInError, match="it is for no account"):
        hub.iam.list_roles()


def test_context_does_not_leak_into_a_thread_or_out_of_a_block(hub: Hub) -> None:
    with ThreadPoolExecutor(1) as pool, acting.acting_in("000000000001", keys("000000000001")), pytest.raises(SignInError):
        pool.submit(hub.iam.list_roles).result()
    with pytest.raises(SignInError):
        acting.acting()


def test_nested_accounts_come_back_to_the_outer_one() -> None:
    with acting.acting_in("1", keys("1")):
        with acting.acting_in("2", keys("2")):
            assert acting.acting().account_id == "2"
        assert acting.acting().account_id == "1"


def test_two_hundred_accounts_in_sixteen_threads_are_never_mixed_up(hub: Hub) -> None:
    def read(number: int) -> tuple[str, list[str]]:
        account = f"{number:012d}"
        with acting.acting_in(account, keys(account)):
            found = [role["Arn"] for _ in range(3) for role in hub.iam.list_roles()["Roles"]]
        return account, found

    with ThreadPoolExecutor(16) as pool:
        for account, found in pool.map(read, range(1, 201)):
            assert len(found) == 12  # 9 roles and, in each list, the one that reads
            assert {arn.split(":")[4] for arn in found} == {account}


def test_request_that_another_key_signed_is_stopped_before_it_leaves(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def as_if_dropped(request: Any, **_: Any) -> None:
        request.context["signing"].pop("request_credentials", None)

    hub.iam.meta.events.register_last("before-sign.iam", as_if_dropped)
    with acting.acting_in("000000000001", keys("000000000001")), pytest.raises(AwsError, match="credentials of another account"):
        hub.iam.list_roles()


def test_credentials_are_not_shown() -> None:
    shown = repr(acting.Acting("000000000001", Credentials("ASIAKEY", "hush", "tell-nobody")))
    assert "hush" not in shown
    assert "tell-nobody" not in shown


def test_answer_about_another_account_is_refused() -> None:
    refuse_other_account("arn:aws:iam::000000000001:role/x", "000000000001", "ListRoles")
    for arn in ("arn:aws:iam::000000000002:role/x", "arn:aws:iam", "", "000000000001"):
        with pytest.raises(AwsError, match="about"):
            refuse_other_account(arn, "000000000001", "ListRoles")


def test_context_variable_has_no_default() -> None:
    assert contextvars.Context().run(lambda: acting._ACTING.get("none")) == "none"
