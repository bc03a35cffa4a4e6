"""Nothing but reads leaves, and while a plan is open exactly its calls; checked on a real client, against what really arrives."""

from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials

from awsfed_lib.core.change import Request, Settled, as_json
from awsfed_lib.core.errors import WriteForbidden
from awsfed_lib.edges.amazon.acting import acting_in
from awsfed_lib.edges.amazon.allowed import READ_BACK, READS, AwsPlanGate
from awsfed_lib.edges.amazon.hub import Hub
from awsfed_lib.sandbox.server import Server

_spec = spec_from_file_location("rendered", Path(__file__).with_name("rendered.py"))
rendered = module_from_spec(_spec)
_spec.loader.exec_module(rendered)

ACCOUNT = "000000000001"
UPDATE = {"RoleName": "admin", "Description": "new"}


@pytest.fixture
def served() -> Iterator[tuple[Any, Hub]]:
    canned = rendered.Rendered(1, 1, fault=lambda ask: (200, rendered.xml(ask.action, "")) if ask.action == "UpdateRole" else None)
    with Server(canned.app) as server:
        yield canned, Hub(rendered.session(server.url), partition="aws", workers=1, gate=AwsPlanGate())


def planned(account: str = ACCOUNT, action: str = "iam:UpdateRole", parameters: Any = None) -> Request:
    return Request(action, f"{account}/arn", as_json(parameters or UPDATE), "describe", Settled("roles", account))


def acting(account: str = ACCOUNT) -> Any:
    return acting_in(account, Credentials(f"ASIA{account}0000", "s", "t"))


def writes(canned: Any) -> list[str]:
    return [ask.action for ask in canned.asked if ask.action == "UpdateRole"]


def test_every_operation_that_is_no_read_is_stopped(served: tuple[Any, Hub]) -> None:
    canned, hub = served
    before = len(canned.asked)
    with acting():
        for client in (hub.iam, hub.sts, hub.organizations, hub.spoke):
            service = client.meta.service_model
            for method, operation in client.meta.method_to_api_mapping.items():
                if f"{service.service_name}:{operation}" not in READS | READ_BACK:
                    with pytest.raises(WriteForbidden, match=operation):
                        getattr(client, method)()
    assert len(canned.asked) == before


def test_reads_are_reads() -> None:
    assert not [
        action
        for action in READS | READ_BACK
        if not action.split(":")[1].startswith(("Describe", "Get", "List", "Lookup")) and action != "sts:AssumeRole"
    ]


def test_plan_that_is_open_lets_exactly_its_call_through(served: tuple[Any, Hub]) -> None:
    canned, hub = served
    with acting(), hub.gate.permit([planned()]):
        hub.iam.update_role(**UPDATE)
    assert writes(canned) == ["UpdateRole"]


@pytest.mark.parametrize(
    "plan",
    [
        planned("000000000002"),
        planned(parameters={**UPDATE, "Description": "other"}),
        planned(action="iam:DeleteRole", parameters={"RoleName": "admin"}),
    ],
    ids=["another account", "another word", "another operation"],
)
def test_anything_else_stays_here_while_a_plan_is_open(served: tuple[Any, Hub], plan: Request) -> None:
    canned, hub = served
    with acting(), hub.gate.permit([plan]), pytest.raises(WriteForbidden, match="UpdateRole"):
        hub.iam.update_role(**UPDATE)
    assert writes(canned) == []


def test_permission_ends_with_the_context_even_after_an_error(served: tuple[Any, Hub]) -> None:
    canned, hub = served
    with pytest.raises(ZeroDivisionError), acting(), hub.gate.permit([planned()]):
        raise ZeroDivisionError
    with acting(), pytest.raises(WriteForbidden):
        hub.iam.update_role(**UPDATE)
    assert writes(canned) == []


def test_parameters_changed_on_the_way_do_not_make_another_operation(served: tuple[Any, Hub]) -> None:
    """The second hook looks at what is about to be sent, whatever other hooks did to the first."""
    canned, hub = served
    for handler in (hub.gate._check_parameters,):
        hub.iam.meta.events.unregister("before-parameter-build", handler)
    with acting(), pytest.raises(WriteForbidden):
        hub.iam.update_role(**UPDATE)
    assert writes(canned) == []


def test_runbook_that_only_reads_cannot_open_the_gate() -> None:
    with Server(rendered.Rendered(1, 1).app) as server:
        hub = Hub(rendered.session(server.url), partition="aws", workers=1)
        with pytest.raises(WriteForbidden, match="only reads"), hub.gate.permit([planned()]):
            hub.iam.update_role(**UPDATE)
        with acting(), pytest.raises(WriteForbidden, match="GetRole"):
            hub.iam.get_role(RoleName="admin")
