"""The sandbox's Entra side over real HTTPS, with its description on disk: sign in to it as to a real tenant."""

import html
import json
import re
import threading
import webbrowser
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import requests
import scripted

from awsfed_lib.edges.entra.auth import SignIn, Surroundings, sign_in
from awsfed_lib.edges.entra.graph import Graph
from awsfed_lib.edges.entra.pace import Clock
from awsfed_lib.edges.entra.person import Person
from awsfed_lib.sandbox.faults.injector import Injector, entra_faults
from awsfed_lib.sandbox.front import Front
from awsfed_lib.sandbox.keys import KeyRing
from awsfed_lib.sandbox.org import world
from awsfed_lib.sandbox.server import Server
from awsfed_lib.sandbox.store import Tenant
from awsfed_lib.sandbox.tls import Authority


class Twin:
    """One running tenant: `tenant` is the truth, `graph(…)` and `session(…)` are what awsfed sees of it, `faults` stand in between."""

    def __init__(self, tenant, faults, url, folder):
        self.tenant, self.faults, self.url, self.folder = tenant, faults, url, folder
        self.id, self.application_id = tenant.id, tenant.world["main"]
        self.clients = {registration.display_name.rpartition(" ")[2]: registration for registration in tenant.clients.values()}
        self.file = self._describe()

    def _describe(self):
        clients = {}
        for name, registration in self.clients.items():
            pem = self.folder / f"{name}.pem"
            pem.write_bytes(registration.pair.pem)
            clients[name] = {"client_id": registration.app_id, "certificate_file": str(pem)}
        urls = {"login_url": self.url, "graph_url": self.url, "aws_url": self.url, "ca_file": str(self.folder / "ca.pem")}
        aws = {"access_key_id": "a", "secret_access_key": "b"}
        more = {"tenant_id": self.id, "clients": clients, "aws": aws, "application_id": self.application_id, "management": "111111111111"}
        file = self.folder / "sandbox.json"
        file.write_text(json.dumps(urls | more))
        file.chmod(0o600)
        return file

    def switch(self, **switches):
        self.tenant.switches = replace(self.tenant.switches, **switches)

    @property
    def clock(self):
        """A clock for the client whose pauses cost nothing and pass in the tenant: with `lag_minutes`, replicas catch up while it waits."""
        now, born = self.tenant.clock, self.tenant.clock()
        return Clock(now, lambda: (now() - born) / timedelta(seconds=1), self.tenant.pass_time, lambda: 0.5)

    def without(self, client, *permissions):
        """Take permissions from a client, as a tenant that granted less; only tokens issued from now on lack them."""
        self.tenant.permit(client, self.clients[client].permissions - set(permissions))

    def around(self, *, person=None, clock=None, **environment):
        clock = clock or scripted.Clock(jitter=lambda: 0.5)
        return Surroundings(environment=environment, clock=clock, person=person, sandbox_file=self.file)

    def session(self, client="reader", method="certificate", around=None):
        who = SignIn("sandbox", self.id, self.clients[client].app_id if client in self.clients else client, method)
        return sign_in(who, around=around or self.around())

    def reading(self, client="reader", clock=None):
        return Graph.reading(self.session(client), clock=clock or scripted.Clock())

    def writing(self, client="writer", clock=None):
        return Graph.writing(self.session(client), clock=clock or scripted.Clock())

    @property
    def service_principal(self):
        return self.tenant.tables["servicePrincipals"][self.application_id]

    @property
    def asked(self):
        """What came to Graph: (method, path, status)."""
        return [(one["method"], one["path"], one["status"]) for one in self.tenant.requests if one["path"].startswith(("/v1.0", "/beta"))]

    @property
    def writes(self):
        """What came to Graph and was no read."""
        return [one for one in self.asked if one[0] != "GET"]

    def at_device_page(self, user="", **how):
        """A person who reads the message and completes the device code, or declines it."""
        from awsfed_lib.sandbox.entra.interactive import complete_device

        return Person(lambda text: complete_device(self.tenant, {"user_code": text.split("code ")[1].split(" ")[0], "user": user, **how}))

    @contextmanager
    def browser(self, monkeypatch):
        """A browser that signs in at once and posts the form back, as the page's script does."""
        monkeypatch.setattr(webbrowser, "open", lambda url, *_, **__: threading.Thread(target=self._browse, args=(url,)).start() or True)
        yield Person(lambda text: None)

    def _browse(self, url):
        session = requests.Session()
        session.trust_env, session.verify = False, str(self.folder / "ca.pem")
        with suppress(requests.RequestException):
            page = session.get(url, timeout=5).text
            fields = {name: html.unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', page)}
            session.post(parse_qs(urlsplit(url).query)["redirect_uri"][0], data=fields, timeout=5)


@contextmanager
def running(folder, *, seed=7, accounts=6):
    """Serve a fresh tenant made from `seed`."""
    tenant = Tenant(world(seed, accounts)["tenant"], keys=_KEYS)
    authority = Authority()
    authority.write(folder / "ca.pem")
    faults = entra_faults(tenant)
    with Server(Injector(Front(tenant), faults), authority.server_context()) as server:
        yield Twin(tenant, faults, server.url, folder)


_KEYS = KeyRing()
