"""AWS as runbooks see it: `fed.aws.inventory(run.organization, provider=provider)`. Reads only; see `allowed`."""

from awsfed_lib import permissions
from awsfed_lib.inventory import inventory
from awsfed_lib.organization import Organization
from awsfed_lib.providers import providers
from awsfed_lib.reach import reach
from awsfed_lib.selection import Selection
from awsfed_lib.session import session_for

__all__ = ["Organization", "Selection", "inventory", "permissions", "providers", "reach", "session_for"]
