"""What the parameters of the enterprise application must look like; each rule is as those of parameter_rules.py."""

from __future__ import annotations

import re

from awsfed_lib.core.settings.parameter_rules import complain, patterns, text, wrong
from awsfed_lib.core.settings.secrecy import shown

line_of = text(1024)
_IDENTIFIER = re.compile(r"https://[a-z0-9.-]+/saml(?:#[A-Za-z0-9._-]{1,64})?", re.ASCII)
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9]{1,63}", re.ASCII)
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_ENDPOINT = re.compile(r"global|any-region|[a-z]{2,}(?:-[a-z]+)+-[0-9]", re.ASCII)
MOST_MAILS = 5  # entra tutorial-manage-certificates-for-federated-single-sign-on


def identifier_uri(value: object) -> str:
    """Check an identifier for AWS: the sign-in endpoint, with #… behind it where the tenant has several applications."""
    line = line_of(value)
    if line and not _IDENTIFIER.fullmatch(line):
        raise wrong(f"must be like https://signin.aws.amazon.com/saml, or that with #1 behind it: {shown(line)}.")
    return line


def web_address(value: object) -> str:
    """Check an address that begins with https://; "" is allowed."""
    line = line_of(value)
    if line and not re.fullmatch(r"https://[^\s/]+(/\S*)?", line):
        raise wrong(f"must begin with https:// and hold no space: {shown(line)}.")
    return line


def attribute(value: object) -> str:
    """Check the name of a user's attribute as claims name it: lower case, without user. in front."""
    line = line_of(value)
    if not _ATTRIBUTE.fullmatch(line):
        raise wrong(f"is no attribute of a user, such as userprincipalname or mail: {shown(line)}.")
    return line


def certificate_name(value: object) -> str:
    """Check the name of a signing certificate: "CN=" and what follows; "" is allowed."""
    line = text(128)(value)
    if line and (not line.startswith("CN=") or len(line) <= len("CN=")):
        raise wrong(f"must begin with CN=, such as CN=AWS 2026: {shown(line)}.")
    return line


def user_name(value: object) -> str:
    """Check a user principal name; "" is allowed."""
    line = line_of(value)
    if line and not _MAIL.fullmatch(line):
        raise wrong(f"is no user name, such as britta.simon@contoso.com: {shown(line)}.")
    return line


def endpoint_names(value: object) -> tuple[str, ...]:
    """Check a list of sign-in endpoints: global, region codes, any-region."""
    listed = patterns(value)
    if not listed:
        raise wrong('is empty. Choose at least "global".')
    complain([f"holds {shown(item)}, which is neither global nor a region code." for item in listed if not _ENDPOINT.fullmatch(item)])
    return listed


def mail_addresses(value: object) -> tuple[str, ...]:
    """Check a list of mail addresses, as many as Entra ID takes."""
    listed = patterns(value)
    complain([f"holds {shown(item)}, which is no mail address." for item in listed if not _MAIL.fullmatch(item)])
    if len(listed) > MOST_MAILS:
        raise wrong(f"has {len(listed)} entries; Entra ID takes {MOST_MAILS}.")
    return listed
