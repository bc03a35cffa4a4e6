"""The file of families below parameters/: which roles every account gets. Reviewed in git, like the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from awsfed_lib.core.accounts.families import Families, Family
from awsfed_lib.core.errors import ParameterError


class _Entry(BaseModel):
    """One family as it is written."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    family: str
    policies: list[str]
    max_session: int = 3600
    boundary: str = ""


class _File(BaseModel):
    """The whole file. `actions`: sts:TagSession, sts:SetSourceIdentity, where the claims need them."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    families: list[_Entry] = Field(min_length=1)
    pattern: str = "{account}-{family}"
    tag_key: str = "Azureadtest"
    actions: list[str] = []


def read(content: Mapping[str, Any], *, provider: str, partition: str, endpoints: tuple[str, ...]) -> Families:
    """Make the families of the file's content and of the parameters of the run.

    Raises ParameterError that names what is wrong: an unknown or missing key, a wrong type, or what IAM would refuse.
    """
    try:
        file = _File(**content)
    except ValidationError as error:
        raise ParameterError("\n".join(["The file of families is wrong; nothing was started.", *_lines(error)])) from None
    listed = tuple(Family(one.family, tuple(one.policies), one.max_session, one.boundary) for one in file.families)
    return Families(listed, provider, file.pattern, file.tag_key, endpoints, tuple(file.actions), partition)


def _lines(error: ValidationError) -> list[str]:
    return [f"  - {'.'.join(map(str, detail['loc']))}: {detail['msg']}." for detail in error.errors(include_url=False)]
