"""Sign-ins that 07-signin proved for real, read from its records: which certificate the responses were signed by that AWS took."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from awsfed_lib.core.certificate.campaign import Proof
from awsfed_lib.core.errors import RecordError
from awsfed_lib.edges.records import where
from awsfed_lib.edges.records.proof import Vouching, read_sealed
from awsfed_lib.edges.records.record import Record

RUNBOOK, FILE = "07-signin", "sign_in.json"


def proofs(application_id: str) -> tuple[Proof, ...]:
    """Read the proofs of one application from all records of 07-signin that are evidence, oldest first."""
    try:
        vouching = Vouching.of(where.runs())
    except RecordError:  # a damaged chain vouches for nothing
        return ()
    found = (proof for file in where.runs().glob(f"*-{RUNBOOK}-*/{FILE}") for proof in _read(file, application_id, vouching))
    return tuple(sorted(found, key=lambda proof: proof.at))


def _read(file: Path, application_id: str, vouching: Vouching) -> Iterator[Proof]:
    try:
        said = json.loads(file.read_bytes())
        if said["application_id"] == application_id and said["roles"]:
            read_sealed(Record(file.parent), vouching)
            yield Proof(str(said["thumbprint"]), datetime.fromisoformat(said["issued"]))
    except (RecordError, OSError, ValueError, KeyError, TypeError):
        return  # a record that cannot be trusted proves nothing
