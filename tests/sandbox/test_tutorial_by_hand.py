"""Microsoft's tutorial request by request, from the empty world to a proven sign-in, in each pair of clouds, on lagging replicas.

Sources: learn.microsoft.com graph/application-saml-sso-configure-api and the AWS multi-account tutorial. No code of awsfed outside the
sandbox is used: the twin alone has to make sense.
"""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from sandbox.entra.conftest import GraphClient

from awsfed_lib.sandbox import saml
from awsfed_lib.sandbox.entra import issuing
from awsfed_lib.sandbox.entra.timestamps import seconds
from awsfed_lib.sandbox.front import Front
from awsfed_lib.sandbox.keys import KeyRing, Validity
from awsfed_lib.sandbox.population.partitions import partition as named
from awsfed_lib.sandbox.serve import Sandbox, Size

PAIRS = {"aws": "global", "aws-us-gov": "usgov", "aws-cn": "china"}
ATTRIBUTES = "https://aws.amazon.com/SAML/Attributes/"
SCHEMA = [
    {"Source": "user", "ID": "assignedroles", "SamlClaimType": f"{ATTRIBUTES}Role"},
    {"Source": "user", "ID": "userprincipalname", "SamlClaimType": f"{ATTRIBUTES}RoleSessionName"},
    {"Value": "3600", "SamlClaimType": f"{ATTRIBUTES}SessionDuration"},
]


class Walk:
    """One empty sandbox, and the requests of the tutorial's steps; every request is repeated until the replicas have caught up."""

    def __init__(self, sandbox, partition):
        self.sandbox, self.place, self.about = sandbox, named(partition), sandbox.world["demo"]
        writer = next(one["appId"] for one in sandbox.world["tenant"]["clients"] if one["name"] == "writer")
        tenant = sandbox.tenant
        token = issuing.for_application(tenant, tenant.client_credentials(writer), "https://graph.microsoft.com")["access_token"]
        self.graph = GraphClient(Front(tenant), token)

    def ask(self, method, path, body=None):
        for _ in range(12):
            found = self.graph(method, path, body)
            if found.status < 400:
                return found.json
        raise AssertionError(found.text)

    def application(self):
        templates = {row["displayName"]: row["id"] for row in self.ask("GET", "/applicationTemplates")["value"]}
        template = templates.get("AWS Single-Account Access") or templates["Custom"]
        made = self.ask("POST", f"/applicationTemplates/{template}/instantiate", {"displayName": "AWS"})
        self.of, application = f"/servicePrincipals/{made['servicePrincipal']['id']}", f"/applications/{made['application']['id']}"
        self.id = made["servicePrincipal"]["id"]
        self.ask("PATCH", self.of, {"preferredSingleSignOnMode": "saml"})
        at = self.place.recipient
        self.ask("PATCH", application, {"identifierUris": [at], "web": {"redirectUris": [at]}})

    def claims(self):
        text = json.dumps({"ClaimsMappingPolicy": {"Version": 1, "IncludeBasicClaimSet": "true", "ClaimsSchema": SCHEMA}})
        policy = self.ask("POST", "/policies/claimsMappingPolicies", {"definition": [text], "displayName": "AWS"})
        reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/policies/claimsMappingPolicies/{policy['id']}"}
        self.ask("POST", f"{self.of}/claimsMappingPolicies/$ref", reference)

    def certificate(self):
        if self.sandbox.tenant.switches.cloud == "global":
            thumbprint = self.ask("POST", f"{self.of}/addTokenSigningCertificate", {"displayName": "CN=AWS"})["thumbprint"]
        else:
            thumbprint = self._own_certificate()
        self.ask("PATCH", self.of, {"preferredTokenSigningKeyThumbprint": thumbprint})

    def _own_certificate(self):
        now = datetime.now(UTC).replace(microsecond=0)
        pair = KeyRing().pair("own", "AWS", Validity(now - timedelta(days=1), now + timedelta(days=365)))
        pfx = pkcs12.serialize_key_and_certificates(b"AWS", pair.key, pair.certificate, None, BestAvailableEncryption(b"secret"))
        thumbprint = pair.sha1.hex().upper()
        mark = base64.b64encode(hashlib.sha256(thumbprint.encode()).digest()).decode()
        shared = {"customKeyIdentifier": mark, "startDateTime": seconds(now), "endDateTime": seconds(now + timedelta(days=365))}
        sign, verify = "4c266507-3e74-4b91-aeba-18a25b450f6e", "e35a7d11-fef0-49ad-9f3e-aacbe0a42c42"
        keys = [
            {**shared, "keyId": sign, "type": "X509CertAndPassword", "usage": "Sign", "key": base64.b64encode(pfx).decode()},
            {**shared, "keyId": verify, "type": "AsymmetricX509Cert", "usage": "Verify", "key": pair.base64},
        ]
        passwords = [{**shared, "keyId": sign, "secretText": "secret"}]
        self.ask("PATCH", self.of, {"keyCredentials": keys, "passwordCredentials": passwords})
        return thumbprint

    def account(self):
        """Provider and role of the demo's account, made through the writer role."""
        iam = self._iam()
        document = self.sandbox.tenant.metadata(self.id)
        provider = iam.create_saml_provider(SAMLMetadataDocument=document, Name="WAAD")["SAMLProviderArn"]
        assert provider == self.about["provider_arn"]
        condition = {"StringEquals": {"SAML:aud": self.place.recipient}}
        statement = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithSAML", "Condition": condition}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        name = self.about["role_arn"].rpartition("/")[2]
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Description=name)
        assert made["Role"]["Arn"] == self.about["role_arn"]

    def _iam(self):
        hub, region = self.sandbox.org.credentials["hub"], self.place.region
        shared = {"region_name": region, "endpoint_url": self.sandbox.aws.url}
        sts = boto3.client("sts", aws_access_key_id=hub.access_key, aws_secret_access_key=hub.secret, **shared)
        arn = self.place.iam(self.about["account"], "role/awsfed-writer")
        held = sts.assume_role(RoleArn=arn, RoleSessionName="tutorial", ExternalId="awsfed-sandbox")["Credentials"]
        keys = {"aws_access_key_id": held["AccessKeyId"], "aws_secret_access_key": held["SecretAccessKey"]}
        return boto3.client("iam", aws_session_token=held["SessionToken"], **keys, **shared)

    def role(self):
        """The appRole behind msiam_access, a group with Britta Simon in it, and the assignment of one to the other."""
        shown = f"{self.about['role_arn'].rpartition('/')[2]},WAAD"
        new = {"id": "3a84e31e-bffa-470f-b9e6-754a61e4dc63", "displayName": shown, "description": shown, "isEnabled": True}
        roles = self.ask("GET", f"{self.of}?$select=appRoles")["appRoles"]
        assert "msiam_access" in [one["displayName"] for one in roles]
        body = [*roles, {**new, "allowedMemberTypes": ["User"], "value": self.about["value"]}]
        self.ask("PATCH", self.of, {"appRoles": body})
        wanted = {"displayName": shown, "mailNickname": "demo", "mailEnabled": False, "securityEnabled": True}
        group = self.ask("POST", "/groups", wanted)["id"]
        self.ask("POST", f"/groups/{group}/members/$ref", {"@odata.id": f"https://x/v1.0/directoryObjects/{self.about['user']}"})
        assignment = {"principalId": group, "resourceId": self.id, "appRoleId": new["id"]}
        self.ask("POST", f"{self.of}/appRoleAssignedTo", assignment)

    @property
    def reached(self):
        return self.sandbox.can_sign_in(self.about["user"], self.about["role_arn"])


@pytest.mark.parametrize("partition", list(PAIRS))
def test_from_nothing_to_a_sign_in(tmp_path, partition):
    """In this order: application, SAML mode, identifier, claims, certificate, provider and role, appRole, group, assignment."""
    with Sandbox(tmp_path, Size(7, 4, partition, world="empty", cloud=PAIRS[partition])) as sandbox:
        walk = Walk(sandbox, partition)
        sandbox.tenant.switches = sandbox.tenant.switches.changed({"lag_reads": 2})
        for step in (walk.application, walk.claims, walk.certificate, walk.account):
            assert not walk.reached[0]
            step()
        assert walk.reached[1].startswith("AADSTS50105")
        walk.role()
        assert walk.reached == (True, "")
        assert sandbox.tenant.switches.cloud == PAIRS[partition]
        assert saml.audience(sandbox.tenant.principal(walk.id)) == walk.place.recipient
