"""What the value of a parameter must look like. Each rule returns the value, or says what is wrong with it and why."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from string import Formatter

from pydantic_core import PydanticCustomError

from awsfed_lib.core.label import FIELDS
from awsfed_lib.core.settings.secrecy import shown

LONGEST_LIST = 10_000
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_ROLE_PATH = re.compile(r"(?:[\w+=,.@-]+/)*[\w+=,.@-]{1,64}", re.ASCII)
_PROVIDER = re.compile(r"[\w._-]{1,128}", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_APPROVAL = re.compile(r"plan-[0-9a-f]{32}", re.ASCII)
_SHORT_APPROVAL = re.compile(r"plan-[0-9a-f]{16}", re.ASCII)
ACCOUNT_DIGITS = 12


def wrong(message: str) -> PydanticCustomError:
    """Return the error that pydantic reports with exactly this message, braces and all."""
    return PydanticCustomError("awsfed", "{words}", {"words": message})


def text(limit: int) -> Callable[[object], str]:
    """Return a rule: one line of text of at most `limit` characters."""

    def rule(value: object) -> str:
        if not isinstance(value, str):
            raise wrong(not_text(value))
        if value != value.strip():
            raise wrong("begins or ends with a space; take it away.")
        if len(value) > limit:
            raise wrong(f"has {len(value)} characters; at most {limit} are possible.")
        hidden = next((char for char in value if not char.isprintable()), "")
        if hidden:
            raise wrong(f"holds the invisible character U+{ord(hidden):04X}; take it away.")
        return value

    return rule


def not_text(value: object) -> str:
    """Say why `value` is no text; a number may be an account id that lost its quotes."""
    if isinstance(value, bool):
        return f"must be text, and is {str(value).lower()}. Write it in quotes."
    if isinstance(value, int | float):
        return f"must be text, and is the number {shown(value)}. {lost_zero(str(value)) or 'Write it in quotes.'}"
    if value is None:
        return "is empty. Give it a value in quotes, or take the line away."
    return f"must be text, and is {_kind(value)}."


def lost_zero(digits: str) -> str:
    """Explain a number in the place of an account id; "" when it is too short to have been one."""
    if not digits.isdecimal() or len(digits) < ACCOUNT_DIGITS - 4:
        return ""
    if len(digits) == ACCOUNT_DIGITS:
        return f'An account id is text of 12 digits: quote it, "{digits}".'
    return (
        f"An account id has 12 digits, this has {len(digits)}: it lost a leading zero, or was read as octal. "
        'Look the id up and quote it, "012345678901".'
    )


def _kind(value: object) -> str:
    return {"dict": "a mapping", "list": "a list", "tuple": "a list", "set": "a set", "bytes": "binary"}.get(
        type(value).__name__, f"a {type(value).__name__}"
    )


_line = text(1024)


def guid(value: object) -> str:
    """Check a GUID in lower case, as Entra ID shows it; "" is allowed. Never repeats the value."""
    line = _line(value)
    if not line or _GUID.fullmatch(line):
        if line and set(line) <= set("0-"):
            raise wrong("is all zeros, which names nothing.")
        return line
    if _GUID.fullmatch(line.lower().strip("{}")):
        raise wrong(f"must be in lower case and without braces: {line.lower().strip('{}')}.")
    raise wrong("is not a GUID (32 hexadecimal digits as 8-4-4-4-12). Copy it from the Entra admin centre.")


def role_path(value: object) -> str:
    """Check the name of an IAM role, with its path where it has one, and without `arn:`."""
    line = _line(value)
    if line.startswith("arn:"):
        raise wrong(f"is an ARN; give only what stands after role/: {shown(line.partition('role/')[2] or 'the name')}.")
    if line and not _ROLE_PATH.fullmatch(line):
        raise wrong(f"is no name of an IAM role: {shown(line)}. Letters, digits and +=,.@_- are possible, 64 at most, with / for a path.")
    return line


def provider_name(value: object) -> str:
    """Check the name of a SAML provider, without `arn:`."""
    line = _line(value)
    if line.startswith("arn:"):
        raise wrong(f"is an ARN; give only what stands after saml-provider/: {shown(line.partition('saml-provider/')[2] or 'the name')}.")
    if line and not _PROVIDER.fullmatch(line):
        raise wrong(f"is no name of a SAML provider: {shown(line)}. Letters, digits and ._- are possible, 128 at most.")
    return line


def _file(*endings: str) -> Callable[[object], str]:
    """Return a rule: a file named relative to parameters/; whether it exists is for the reader to find out."""

    def rule(value: object) -> str:
        line = _line(value)
        outside = line[:1] in ("/", "~") or ".." in line.split("/") or "\\" in line or ":" in line
        if line and (outside or not line.lower().endswith(endings)):
            raise wrong(f"must name a {' or '.join(endings)} file below parameters/, without .. and without a drive: {shown(line)}.")
        return line

    return rule


csv_file, yaml_file, sheet_file = _file(".csv"), _file(".yml", ".yaml"), _file(".csv", ".xlsx")


def one_account(value: object) -> str:
    """Check the id of one account; "" is allowed."""
    line = _line(value)
    if line and not (line.isascii() and line.isdecimal() and len(line) == ACCOUNT_DIGITS):
        raise wrong(f"is no account id of 12 digits: {shown(line)}. {lost_zero(line)}".strip())
    return line


def template(fields: tuple[str, ...], demands: tuple[tuple[str, ...], ...]) -> Callable[[object], str]:
    """Return a rule: text with {fields}, which holds at least one field of each of `demands`."""

    def rule(value: object) -> str:
        line = text(200)(value)
        used = _fields_of(line)
        strange = [name for name in used if name not in fields]
        if strange:
            raise wrong(f"may hold {', '.join(f'{{{name}}}' for name in fields)}, and holds {{{shown(strange[0])}}}.")
        for demand in demands:
            if not set(demand) & set(used):
                raise wrong(f"must hold {' or '.join(f'{{{name}}}' for name in demand)}, or two roles get one name.")
        return line

    return rule


def _fields_of(line: str) -> list[str]:
    """List the fields of a format text; attribute access, conversions and format specs are refused as part of the name."""
    try:
        parts = list(Formatter().parse(line))
    except ValueError:
        raise wrong("has a brace without its partner.") from None
    return [
        f"{name}{'!' + conversion if conversion else ''}{':' + spec if spec else ''}"
        for _, name, spec, conversion in parts
        if name is not None
    ]


label_template = template(FIELDS, (("role_name",),))
# The tutorial names groups as their roles, whose names hold the account; where two roles would share a group, groups.match refuses.
group_template = template(FIELDS, (("role_name",),))


def names(value: object) -> tuple[str, ...]:
    """Check a list of texts, none empty, none twice."""
    if isinstance(value, str):
        raise wrong("must be a list, and is one text. Write it as - lines, or in [brackets].")
    if value is None:
        raise wrong("is empty. Write [] for none, or take the line away.")
    if not isinstance(value, list | tuple):
        raise wrong(f"must be a list of texts, and is {_kind(value)}.")
    if len(value) > LONGEST_LIST:
        raise wrong(f"has {len(value)} entries; at most {LONGEST_LIST} are possible.")
    complain([problem for problem in map(_entry_problem, value) if problem])
    return tuple(value)


def variable_names(value: object) -> tuple[str, ...]:
    """Check names of environment variables; those of awsfed itself (alerts, the signing key) are never passed on."""
    found = names(value)
    complain([f"holds {shown(one)}, which is no name of a variable." for one in found if not _VARIABLE.fullmatch(one)])
    complain([f"holds {one}: variables of awsfed are not passed on by name." for one in found if one.upper().startswith("AWSFED_")])
    return found


def complain(problems: list[str]) -> None:
    """Raise one error for all `problems` of the entries of a list; nothing when there are none."""
    more = f" (and {len(problems) - 5} entries more)" if len(problems) > 5 else ""  # noqa: PLR2004  enough to see the pattern
    if problems:
        raise wrong(" It ".join(problems[:5]) + more)


def _entry_problem(item: object) -> str:
    if not isinstance(item, str):
        return f"holds an entry that {not_text(item)}"
    try:
        line = text(256)(item)
    except PydanticCustomError as error:
        return f"holds an entry that {error.message()}"
    return "" if line else "holds an empty entry; take it away."


def patterns(value: object) -> tuple[str, ...]:
    """Check a list of names or shell patterns; an entry that stands twice is a slip that hides another name."""
    listed = names(value)
    twice = sorted({item for item in listed if listed.count(item) > 1}) if len(set(listed)) < len(listed) else []
    if twice:
        raise wrong(f"names {shown(twice[0])} twice.")
    return listed


def account_names(value: object) -> tuple[str, ...]:
    """Check a list of account ids, names and paths of organisational units; digits alone must be a whole account id."""
    listed = patterns(value)
    complain([f"holds {shown(item)}. {_not_an_id(item)}" for item in listed if _not_an_id(item)])
    return listed


def _not_an_id(item: str) -> str:
    if not item.isdecimal() or (len(item) == ACCOUNT_DIGITS and item.isascii()):
        return ""
    return lost_zero(item) or "An account id has 12 digits; an account whose name is a number is chosen by its id."


def whole_number(value: object) -> int:
    """Check a whole number; true and false are none, although Python counts them."""
    if isinstance(value, bool) or not isinstance(value, int):
        hint = " Write it without quotes." if isinstance(value, str) and value.isdecimal() else ""
        shape = shown(value) if isinstance(value, str | bool | float) else _kind(value)
        raise wrong(f"must be a whole number, and is {'empty' if value is None else shape}.{hint}")
    return value


def approval(value: object) -> str:
    """Check the id of a plan, or "" for none; an approval is never a yes."""
    if isinstance(value, bool) or (isinstance(value, str) and value.lower() in ("yes", "true", "y", "1", "on", "ok")):
        raise wrong("must be the id of a plan, plan- and 32 hexadecimal digits, as the preview shows it; a yes approves nothing.")
    line = _line(value)
    if _SHORT_APPROVAL.fullmatch(line):
        raise wrong("is the id of a plan of an earlier version, with 16 digits: plan again, and approve the id of 32 digits.")
    if line and not _APPROVAL.fullmatch(line):
        raise wrong("is no id of a plan: plan- and 32 hexadecimal digits, copied from the preview.")
    return line


def calendar_day(value: object) -> str:
    """Check a day, YYYY-MM-DD; "" is allowed. YAML makes a date of it where the quotes are missing."""
    if isinstance(value, date):
        raise wrong(f'must be text: write it in quotes, "{value:%Y-%m-%d}".')
    line = _line(value)
    if line and not _is_day(line):
        raise wrong(f"is no day of the form YYYY-MM-DD: {shown(line)}.")
    return line


def _is_day(line: str) -> bool:
    try:
        return date.fromisoformat(line).isoformat() == line
    except ValueError:
        return False
