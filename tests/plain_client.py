"""A client of the twin that judges nothing: what the wire said is what a test sees."""

import requests


class Client:
    """Requests with the writer's token, and nothing between them and the wire."""

    def __init__(self, twin):
        self.twin, self.http = twin, requests.Session()
        self.http.trust_env, self.http.verify = False, str(twin.folder / "ca.pem")
        self.bearer = str.__str__(twin.session("writer").source.token().header)
        self.application = f"/v1.0/servicePrincipals/{twin.application_id}"

    def __call__(self, method, path, body=None):
        return self.http.request(
            method, self.twin.url + path, json=body, headers={"Authorization": self.bearer}, timeout=5, allow_redirects=False
        )

    def change(self, *tags):
        return self("PATCH", self.application, {"tags": list(tags)})

    @property
    def tags(self):
        return self.twin.service_principal["tags"]
