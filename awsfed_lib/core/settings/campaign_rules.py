"""What the parameters of sign-in proof and certificate rollover must look like; each rule is as those of parameter_rules.py."""

from __future__ import annotations

import re

from awsfed_lib.core.settings.parameter_rules import account_names, complain, patterns, text, wrong
from awsfed_lib.core.settings.secrecy import shown

_FILE = re.compile(r"(?!\.)[\w.-]+(?:/(?!\.)[\w.-]+)*", re.ASCII)
_EXCLUSION = re.compile(r"[0-9]{12}: \S.{2,}", re.ASCII)
_THUMBPRINT = re.compile(r"[0-9A-F]{40}", re.ASCII)
_ID = re.compile(r"[0-9]{12}", re.ASCII)


def response_file(value: object) -> str:
    """Check the name of a file below runs/.responses/; the response itself is no parameter."""
    line = text(100_000)(value)
    if len(line) > 200:  # noqa: PLR2004  no name of a file is so long
        raise wrong("is no name of a file. A SAML response is no parameter: put it into a file below runs/.responses/.")
    if line and not _FILE.fullmatch(line):
        raise wrong(f"must name a file below runs/.responses/, without .. and without a leading dot: {shown(line)}.")
    return line


def thumbprint(value: object) -> str:
    """Check the thumbprint of a certificate, as Entra ID shows it: 40 hexadecimal digits; "" is allowed."""
    line = text(100)(value).upper()
    if line and not _THUMBPRINT.fullmatch(line):
        raise wrong(f"is no thumbprint of 40 hexadecimal digits: {shown(line)}.")
    return line


def account_ids(value: object) -> tuple[str, ...]:
    """Check a list of account ids: 12 digits in quotes, no names and no patterns."""
    listed = account_names(value)
    complain([f"holds {shown(item)}, which is no account id of 12 digits." for item in listed if not _ID.fullmatch(item)])
    return listed


def exclusions(value: object) -> tuple[str, ...]:
    """Check a list of accounts that are left out, each with its reason: "012345678901: closed in May"."""
    listed = patterns(value)
    wrong_ones = [item for item in listed if not _EXCLUSION.fullmatch(item)]
    complain([f'holds {shown(item)}. Write an account id and why: "012345678901: closed in May".' for item in wrong_ones])
    ids = [item[:12] for item in listed]
    complain([f"names the account {one} twice." for one in sorted({one for one in ids if ids.count(one) > 1})])
    return listed
