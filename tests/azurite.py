"""Azurite, Microsoft's emulator of Blob Storage, over HTTPS on loopback, with a tenant that signs in to it.

It checks issuer, audience and time of a token, as `--oauth basic` says, and neither its signature nor any role.
"""

import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from awsfed_lib.edges.entra import auth, storage
from awsfed_lib.edges.records import blob_store

PROGRAM = Path(__file__).parents[1] / ".venv" / "azurite" / "node_modules" / ".bin" / "azurite-blob"
ACCOUNT = "devstoreaccount1"


class Azurite:
    """A running emulator: its endpoint, and the only authority that its certificate is of."""

    def __init__(self, url, ca_file):
        self.endpoint, self.ca_file = f"{url}/{ACCOUNT}", str(ca_file)

    def session(self, twin, client="reader"):
        """Sign in to the twin for Azure Storage, by certificate; what reaches the emulator trusts the emulator's authority."""
        who = auth.SignIn("sandbox", twin.id, twin.clients[client].app_id, "certificate", resource=storage.RESOURCE)
        session = auth.sign_in(who, around=twin.around())
        return replace(session, cloud=replace(session.cloud, ca_file=self.ca_file))

    def instead(self, monkeypatch, twin):
        """Stand in for every account of Azure: the one address that differs, and the tenant that is signed in to."""
        monkeypatch.setattr(blob_store.Place, "endpoint", self.endpoint)
        monkeypatch.setattr(storage, "sign_in", lambda cloud, environment: self.session(twin))


@contextmanager
def running(folder):
    """Run the emulator in `folder`, which keeps nothing; without it, the test is skipped."""
    if not PROGRAM.exists() or shutil.which("node") is None:
        pytest.skip("no Azurite: make unit installs it where there is npm")
    ca_file, certificate, key = folder / "ca.pem", folder / "cert.pem", folder / "key.pem"
    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca_file)
    issued = authority.issue_cert("127.0.0.1")
    certificate.write_bytes(b"".join(one.bytes() for one in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    options = {"--blobHost": "127.0.0.1", "--blobPort": "0", "--oauth": "basic", "--cert": str(certificate), "--key": str(key)}
    flags = ["--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck", "--silent"]
    command = [str(PROGRAM), *(word for option in options.items() for word in option), *flags]
    surroundings = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with subprocess.Popen(command, cwd=folder, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as emulator:
        try:
            yield Azurite(_url(emulator), ca_file)
        finally:
            emulator.terminate()


def _url(emulator):
    said = ""
    for line in emulator.stdout:
        said += line
        if "successfully listens on " in line:
            return line.split(" on ")[1].strip()
    raise AssertionError(f"Azurite ended: {said}")


class Container:
    """A container as its owner sees it, who may do what awsfed never does."""

    def __init__(self, azurite, twin, name):
        self.client = blob_store.container(azurite.endpoint, name, azurite.session(twin))
        self.address = f"abfs://{name}@{ACCOUNT}.dfs.core.windows.net/awsfed"
        self.gone = f"abfs://nobody-has-this@{ACCOUNT}.dfs.core.windows.net/x", "ContainerNotFound"

    def make(self):
        self.client.create_container()

    def overwrite(self, name, content, **more):
        self.client.upload_blob(f"awsfed/{name}", content, overwrite=True, **more)

    def delete(self, name):
        self.client.delete_blob(f"awsfed/{name}")

    def clear(self):
        self.client.delete_container()
