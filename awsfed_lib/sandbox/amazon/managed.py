"""The policies that AWS manages, from moto's copy of them, without loading all of them into every account."""

import json
from functools import lru_cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy


@lru_cache(maxsize=1)
def _index() -> dict[str, tuple[str, dict[str, Any]]]:
    """`job-function/Billing` to the policy's name and moto's entry for it."""
    entries = json.loads(aws_managed_policies_data)
    return {(entry["Path"] + name).lstrip("/"): (name, entry) for name, entry in entries.items()}


@lru_cache(maxsize=512)
def policy(arn: str, region: str) -> Any | None:
    """The moto policy of that ARN, one object for all accounts; None when AWS has no such policy."""
    _, _, path = arn.partition(":policy/")
    if not arn.startswith("arn:") or ":iam::aws:policy/" not in arn or path not in _index():
        return None
    name, entry = _index()[path]
    made = AWSManagedPolicy.from_data(name, "aws", region, entry)
    return made if made.arn == arn else None


@lru_cache(maxsize=512)
def document(arn: str) -> dict[str, Any]:
    """The JSON of a managed policy; an empty policy when AWS has none of that ARN."""
    _, _, path = arn.partition(":policy/")
    return dict(_index()[path][1]["Document"]) if path in _index() else {}
