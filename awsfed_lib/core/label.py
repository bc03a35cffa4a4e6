"""Names made of a template, such as "{account_name} / {role_name}" from the parameter file."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.roles.pair import parse

LONGEST = 120  # of an appRole: the page names no limit; 120 is what Entra ID allows the display name of an application
FIELDS = ("account_id", "account_name", "role_name", "provider_name")


def check_template(template: str) -> None:
    """Raise ParameterError unless the template is text with plain fields out of FIELDS.

    Only names are taken: no attribute, index, conversion or format, so that a template cannot reach into objects.
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise ParameterError(f"The template {template!r} cannot be read: {error}.", remedy=_REMEDY) from error
    for _, name, form, conversion in parts:
        if name is not None and (name not in FIELDS or form or conversion):
            raise ParameterError(f"The template {template!r} asks for {{{name}}}, which is not one of the fields.", remedy=_REMEDY)
    if not any(name for _, name, _, _ in parts):
        raise ParameterError(f"The template {template!r} has no field: every role would get one name.", remedy=_REMEDY)


_REMEDY = f"Fields are {', '.join(f'{{{name}}}' for name in FIELDS)}; a brace itself is written twice."


def told_apart(label: str, value: str, limit: int = LONGEST) -> str:
    """Add the account id of an appRole value to a label that another account has too, within `limit` characters."""
    pair = parse(value)
    if pair is None or pair.account_id in label:
        return label
    account = f" ({pair.account_id})"
    return f"{label[: limit - len(account)]}{account}"


def fill(template: str, row: Mapping[str, str], *, limit: int) -> str:
    """Fill a checked template; an account without a name shows its id. Longer than `limit`, it ends in "...".

    Control and other invisible characters become spaces: the name is shown in the portal and in file names of reports.
    """
    fields = {name: row.get(name, "") for name in FIELDS}
    fields["account_name"] = fields["account_name"] or fields["account_id"]
    text = template.format_map(fields)
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
