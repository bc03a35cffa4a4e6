"""Ids: GUIDs, and the id of an assignment, which is two GUIDs.

Decoded from the samples of learn.microsoft.com: base64url without padding of 32 bytes, the principal's GUID in little-endian order
followed by one of its own.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_guid(text: object) -> bool:
    """Whether the text is a GUID with hyphens."""
    return isinstance(text, str) and GUID.fullmatch(text) is not None


def assignment_id(principal_id: str, own: str) -> str:
    """The id of an assignment to that principal."""
    return base64.urlsafe_b64encode(uuid.UUID(principal_id).bytes_le + uuid.UUID(own).bytes_le).decode().rstrip("=")


def is_assignment_id(text: str) -> bool:
    """Whether the text can be the id of an assignment."""
    try:
        return len(base64.b64decode(text + "=", altchars=b"-_", validate=True)) == 32
    except (binascii.Error, ValueError):
        return False
