"""The inventory beside two usual ways to read an organization, in one run, against one sandbox in a process of its own.

`fresh session`: a boto3.Session an account, in threads, as most scripts do it. `client an account`: one session behind a lock,
a client an account. All three make the same calls. Each way runs in a process of its own; printed are the medians of wall
seconds, processor seconds and peak memory, and the ratio to ours. Usage: python benchmarks/inventory.py [accounts] [roles]
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

WORKERS, LATENCY_MS, ROUNDS = 16, 20, 3
SERVE = """
import json, sys, time
from awsfed_lib.sandbox.amazon import metadata
from awsfed_lib.sandbox.aws import AwsSwitches, Org
from awsfed_lib.sandbox.org import world
from awsfed_lib.sandbox.server import Server
made = world(1, int(sys.argv[1]), roles=int(sys.argv[2]))
org = Org(made["org"], lambda app, which: metadata.foreign(), AwsSwitches(latency_ms=int(sys.argv[3])))
hub = org.credentials["hub"]
print(json.dumps({"url": Server(org.app).url, "key": hub.access_key, "secret": hub.secret, "region": org.cloud.place.region}), flush=True)
time.sleep(3600)
"""


@contextmanager
def served(accounts: int, roles: int) -> Iterator[dict[str, Any]]:
    """Serve an organization over HTTP, each answer LATENCY_MS late."""
    command = [sys.executable, "-c", SERVE, str(accounts), str(roles), str(LATENCY_MS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield json.loads(process.stdout.readline())
        process.kill()


def described(about: dict[str, Any], folder: Path) -> None:
    """Write what our session_for("sandbox") reads."""
    (folder / ".sandbox").mkdir()
    (folder / "notebooks").mkdir()
    (folder / "parameters").mkdir()
    file = folder / ".sandbox/sandbox.json"
    tls = "https://127.0.0.1:1"
    keys = {"access_key_id": about["key"], "secret_access_key": about["secret"], "region": about["region"]}
    said = {"tenant_id": "", "login_url": tls, "graph_url": tls, "aws_url": about["url"], "ca_file": "", "clients": {}, "aws": keys}
    file.write_text(json.dumps({**said, "application_id": "", "management": "", "partition": "aws"}))
    file.chmod(0o600)
    os.environ["AWSFED_ROOT"] = str(folder)


def ours(_: dict[str, Any]) -> int:
    """One shared client, credentials a request, two calls an account and 1,000 roles."""
    from awsfed_lib import aws

    accounts, _roles = aws.inventory(
        aws.Organization(via="awsfed-audit", external_id="awsfed-sandbox", cloud="sandbox", workers=WORKERS), provider="WAAD"
    )
    return int((accounts.problem == "").sum())


def _listed(about: dict[str, Any]) -> list[str]:
    client = _session(about).client("organizations", endpoint_url=about["url"])
    pages = client.get_paginator("list_accounts").paginate()
    return [account["Id"] for page in pages for account in page["Accounts"] if account.get("State", account.get("Status")) == "ACTIVE"]


def _session(about: dict[str, Any]) -> boto3.Session:
    return boto3.Session(about["key"], about["secret"], region_name=about["region"])


def _assumed(session: boto3.Session, about: dict[str, Any], account: str) -> dict[str, str]:
    return _assume(session.client("sts", endpoint_url=about["url"]), account)


def _assume(sts: Any, account: str) -> dict[str, str]:
    found = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/awsfed-audit", RoleSessionName="benchmark", ExternalId="awsfed-sandbox")[
        "Credentials"
    ]
    return {
        "aws_access_key_id": found["AccessKeyId"],
        "aws_secret_access_key": found["SecretAccessKey"],
        "aws_session_token": found["SessionToken"],
    }


def _read(iam: Any) -> None:
    for name, options in (("get_account_authorization_details", {"Filter": ["Role"]}), ("list_roles", {})):
        for _ in iam.get_paginator(name).paginate(**options, PaginationConfig={"PageSize": 1000}):
            pass
    iam.list_saml_providers()


def fresh_session(about: dict[str, Any]) -> int:
    """Make a session an account."""

    def one(account: str) -> int:
        try:
            keys = _assumed(_session(about), about, account)
            _read(boto3.Session(**keys, region_name=about["region"]).client("iam", endpoint_url=about["url"]))
        except ClientError:
            return 0
        return 1

    with ThreadPoolExecutor(WORKERS) as pool:
        return sum(pool.map(one, _listed(about)))


def client_an_account(about: dict[str, Any]) -> int:
    """One session behind a lock, a client an account."""
    session, lock = _session(about), threading.Lock()

    def one(account: str) -> int:
        try:
            with lock:
                sts = session.client("sts", endpoint_url=about["url"])
            keys = _assume(sts, account)
            with lock:
                iam = session.client("iam", endpoint_url=about["url"], **keys)
            _read(iam)
        except ClientError:
            return 0
        return 1

    with ThreadPoolExecutor(WORKERS) as pool:
        return sum(pool.map(one, _listed(about)))


WAYS: dict[str, Callable[[dict[str, Any]], int]] = {"ours": ours, "client an account": client_an_account, "fresh session": fresh_session}


def measured(name: str, about: dict[str, Any]) -> None:
    """Run one way in this process, and print what it took."""
    began = time.perf_counter()
    read = WAYS[name](about)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps({"read": read, "wall": time.perf_counter() - began, "cpu": used.ru_utime + used.ru_stime, "mib": used.ru_maxrss / 1024})
    )


def main(accounts: int, roles: int) -> None:
    """Measure every way in turn, and print the table."""
    with tempfile.TemporaryDirectory() as folder, served(accounts, roles) as about:
        described(about, Path(folder))
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
        for _ in range(ROUNDS):
            for name in WAYS:
                command = [sys.executable, __file__, "--one", name, json.dumps(about)]
                runs[name].append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout))
    print(f"{accounts} accounts x {roles} roles, {LATENCY_MS} ms an answer, {WORKERS} workers, medians of {ROUNDS}")
    middle = {name: {key: statistics.median(one[key] for one in found) for key in found[0]} for name, found in runs.items()}
    for name, one in middle.items():
        ratio = one["wall"] / middle["ours"]["wall"]
        print(f"{name:<18} {one['read']:4.0f} read {one['wall']:7.2f} s wall {one['cpu']:7.2f} s cpu {one['mib']:6.0f} MiB  {ratio:5.1f} x")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measured(sys.argv[2], json.loads(sys.argv[3]))
    else:
        main(*(int(one) for one in sys.argv[1:] or ("100", "60")))
