"""AWS as runbooks see it: `fed.aws.inventory(run.organization, provider=provider)`. Reads only; plans go through `accounts`."""

from awsfed_lib.edges.amazon import permissions
from awsfed_lib.edges.amazon.attempt import attempt
from awsfed_lib.edges.amazon.inventory import inventory
from awsfed_lib.edges.amazon.organization import Organization
from awsfed_lib.edges.amazon.ownership import federation
from awsfed_lib.edges.amazon.providers import providers
from awsfed_lib.edges.amazon.reach import reach
from awsfed_lib.edges.amazon.selection import Selection
from awsfed_lib.edges.amazon.session import session_for
from awsfed_lib.edges.amazon.survey import documents, listed, survey

__all__ = [
    "Organization",
    "Selection",
    "attempt",
    "documents",
    "federation",
    "inventory",
    "listed",
    "permissions",
    "providers",
    "reach",
    "session_for",
    "survey",
]
