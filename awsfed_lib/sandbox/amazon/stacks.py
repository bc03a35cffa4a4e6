"""CloudFormation's DescribeStackResources: in which stack of one account and Region a resource is.

Source: docs.aws.amazon.com AWSCloudFormation/latest/APIReference/API_DescribeStackResources.html: StackName or PhysicalResourceId, one of
them; at most 100 resources; a resource that no stack holds is a ValidationError. The reference does not print the messages.
"""

from collections.abc import Mapping
from typing import Any

from awsfed_lib.sandbox.amazon.cloud import CREATED, Account
from awsfed_lib.sandbox.amazon.pages import moment
from awsfed_lib.sandbox.amazon.wire import Answer, AwsError, Call, element, result

Stack = Mapping[str, Any]


def describe(account: Account, call: Call) -> Answer:
    """Answer DescribeStackResources."""
    name, resource = call.text("StackName"), call.text("PhysicalResourceId")
    if bool(name) == bool(resource):
        raise AwsError("ValidationError", "One of StackName and PhysicalResourceId must be given, and not both")
    here = [stack for stack in account.stacks if stack["id"].split(":")[3] == call.region]
    found = next((stack for stack in here if name in (stack["name"], stack["id"]) or resource in _ids(stack)), None)
    if found is None:
        raise AwsError("ValidationError", f"Stack for {resource} does not exist" if resource else f"Stack with id {name} does not exist")
    members = "".join(f"<member>{_resource(found, one)}</member>" for one in found["resources"][:100])
    return result(call, f"<StackResources>{members}</StackResources>")


def _ids(stack: Stack) -> list[str]:
    return [one["id"] for one in stack["resources"]]


def _resource(stack: Stack, one: Mapping[str, str]) -> str:
    logical = "".join(part.capitalize() for part in one["id"].rpartition("/")[2].replace("_", "-").split("-"))
    return "".join((
        element("StackName", stack["name"]),
        element("StackId", stack["id"]),
        element("LogicalResourceId", logical),
        element("PhysicalResourceId", one["id"]),
        element("ResourceType", one["type"]),
        element("Timestamp", moment(CREATED)),
        element("ResourceStatus", "CREATE_COMPLETE"),
    ))  # fmt: skip
