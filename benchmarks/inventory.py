"""The inventory beside three usual ways to read an organization, in one run, against one pre-rendered AWS in a process of its own.

`client an account`: one session behind a lock and a client an account, the same three reads. `session an account`: a fresh
boto3.Session for each account in threads, the same three reads. `call a role`: a fresh session an account, ListRoles, then
GetRole and ListAttachedRolePolicies for every role, which is how most scripts get at tags, last use and policies. Every way
runs in a process of its own, in turn; printed are medians of wall seconds, processor seconds and peak memory, and the
ratio of wall seconds to ours. Only ours judges every trust policy and makes tables. The pre-rendered AWS
(tests/rendered.py) checks nothing, so it costs little, but it shares this machine.
Usage: python benchmarks/inventory.py [accounts] [roles] [latency in ms] [rounds]
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from awsfed_lib.edges.amazon import aws  # by all ways, so that pandas counts for none of them alone
from awsfed_lib.edges.amazon.session import LoopbackSession
from awsfed_lib.edges.entra import clouds  # by all ways, so that pandas counts for none of them alone

ROOT = Path(__file__).parents[1]
WORKERS, HUB, REGION = 16, "AKIA9000000000010000", "us-east-1"


@contextmanager
def served(*sizes: int) -> Iterator[str]:
    """Serve a pre-rendered organization until the context closes; its address."""
    command = [sys.executable, str(ROOT / "tests" / "rendered.py"), *map(str, sizes)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.kill()


def ours(url: str) -> int:
    """One shared client, credentials a request: three reads an account."""
    keys = {"access_key_id": HUB, "secret_access_key": "secret"}
    nowhere = {"tenant_id": "", "login_url": "https://127.0.0.1:9", "graph_url": "https://127.0.0.1:9", "ca_file": "", "clients": {}}
    said = {**nowhere, "aws_url": url, "aws": keys, "application_id": "", "management": ""}
    session = LoopbackSession(clouds.Sandbox.model_validate_json(json.dumps(said)))
    organization = aws.Organization(via="awsfed-audit", workers=WORKERS)
    accounts, _ = aws.inventory(organization, provider="WAAD", session=session)
    return int((accounts.problem == "").sum())


def client_an_account(url: str) -> int:
    """One session behind a lock, a client an account: three reads an account."""
    session, lock = boto3.Session(HUB, "secret", region_name=REGION), threading.Lock()
    sts = session.client("sts", endpoint_url=url)

    def one(account: str) -> int:
        keys = _assume(sts, account)
        with lock:
            iam = session.client("iam", endpoint_url=url, **keys)
        return _three_reads(iam)

    return _everywhere(url, one)


def session_an_account(url: str) -> int:
    """Make a session an account: three reads an account."""
    return _everywhere(url, lambda account: _three_reads(_fresh(url, account)))


def call_a_role(url: str) -> int:
    """Make a session an account, and two calls a role."""

    def one(account: str) -> int:
        iam = _fresh(url, account)
        for page in iam.get_paginator("list_roles").paginate():
            for role in page["Roles"]:
                iam.get_role(RoleName=role["RoleName"])
                iam.list_attached_role_policies(RoleName=role["RoleName"])
        iam.list_saml_providers()
        return 1

    return _everywhere(url, one)


def _everywhere(url: str, one: Callable[[str], int]) -> int:
    organizations = boto3.Session(HUB, "secret", region_name=REGION).client("organizations", endpoint_url=url)
    accounts = [entry["Id"] for page in organizations.get_paginator("list_accounts").paginate() for entry in page["Accounts"]]
    with ThreadPoolExecutor(WORKERS) as pool:
        return sum(pool.map(one, accounts))


def _fresh(url: str, account: str) -> Any:
    hub = boto3.Session(HUB, "secret", region_name=REGION)
    keys = _assume(hub.client("sts", endpoint_url=url), account)
    return boto3.Session(**keys, region_name=REGION).client("iam", endpoint_url=url)


def _assume(sts: Any, account: str) -> dict[str, str]:
    given = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/awsfed-audit", RoleSessionName="benchmark")["Credentials"]
    names = {"aws_access_key_id": "AccessKeyId", "aws_secret_access_key": "SecretAccessKey", "aws_session_token": "SessionToken"}
    return {ours: given[theirs] for ours, theirs in names.items()}


def _three_reads(iam: Any) -> int:
    for name, options in (("get_account_authorization_details", {"Filter": ["Role"]}), ("list_roles", {})):
        for _ in iam.get_paginator(name).paginate(**options, PaginationConfig={"PageSize": 1000}):
            pass
    iam.list_saml_providers()
    return 1


WAYS: dict[str, Callable[[str], int]] = {
    "ours": ours,
    "client an account": client_an_account,
    "session an account": session_an_account,
    "call a role": call_a_role,
}


def measured(name: str, url: str) -> None:
    """Run one way in this process, and print what it took."""
    began = time.perf_counter()
    read = WAYS[name](url)
    wall, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"read": read, "wall": wall, "cpu": used.ru_utime + used.ru_stime, "mib": used.ru_maxrss / 1024}))


def main(accounts: int = 100, roles: int = 60, latency_ms: int = 20, rounds: int = 3) -> None:
    """Measure every way in turn, and print the table."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    with served(accounts, roles, latency_ms) as url:
        for _ in range(rounds):
            for name, found in runs.items():
                command = [sys.executable, __file__, "--one", name, url]
                environment = os.environ | {"PYTHONPATH": str(ROOT)}
                found.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout))
    print(f"{accounts} accounts x {roles} roles, {latency_ms} ms an answer, {WORKERS} workers, medians of {rounds}")
    middle = {name: {key: statistics.median(one[key] for one in found) for key in found[0]} for name, found in runs.items()}
    for name, one in middle.items():
        ratio = one["wall"] / middle["ours"]["wall"]
        print(f"{name:<18} {one['read']:4.0f} read {one['wall']:7.2f} s wall {one['cpu']:7.2f} s cpu {one['mib']:6.0f} MiB  {ratio:5.1f} x")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measured(*sys.argv[2:])
    else:
        main(*map(int, sys.argv[1:]))
