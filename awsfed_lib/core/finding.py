"""One row of FINDINGS, with an id that is the same on every run."""

from __future__ import annotations

import hashlib


def finding(severity: str, check: str, subject: str, *, cause: str, remedy: str) -> dict[str, str]:
    """Make a row of FINDINGS; its id depends on the check and the subject only."""
    mark = hashlib.sha256(f"{check}\n{subject}".encode()).hexdigest()[:10]
    return {
        "finding_id": f"{check}-{mark}",
        "severity": severity,
        "check": check,
        "subject": subject,
        "cause": cause,
        "remedy": remedy,
    }
