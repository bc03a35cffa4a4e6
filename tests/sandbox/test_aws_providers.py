"""SAML providers over HTTP with real boto3: every document and name that IAM refuses, and tags, which moto does not have."""

import re
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from awsfed_lib.sandbox.amazon import metadata

TENANT = "https://sts.windows.net/11111111-2222-4333-8444-555555555555/"


@pytest.fixture(scope="module")
def certificates():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return [metadata.certificate_for(key, f"signing {number}") for number in range(11)]


@pytest.fixture
def document(certificates) -> str:
    return metadata.render(TENANT, certificates[:1], "https://login.microsoftonline.com/common/saml2")


@pytest.fixture
def new(aws):
    """A writer in the account that nobody has connected yet."""
    return aws.iam(aws.account(name="QA")["id"], "awsfed-writer", parameter_validation=False)


@pytest.fixture
def waad(aws) -> str:
    return f"arn:aws:iam::{aws.account(name='QA')['id']}:saml-provider/WAAD"


def test_a_provider_is_created_read_listed_and_tagged(new, document, waad):
    made = new.create_saml_provider(Name="WAAD", SAMLMetadataDocument=document, Tags=[{"Key": "owner", "Value": "identity"}])
    assert (made["SAMLProviderArn"], made["Tags"]) == (waad, [{"Key": "owner", "Value": "identity"}])
    found = new.get_saml_provider(SAMLProviderArn=waad)
    assert found["SAMLMetadataDocument"] == document
    assert found["Tags"] == [{"Key": "owner", "Value": "identity"}]
    assert waad in [one["Arn"] for one in new.list_saml_providers()["SAMLProviderList"]]


def test_the_name_of_a_provider_cannot_be_used_twice(new, refusal, document):
    """API_CreateSAMLProvider: EntityAlreadyExists, 409; moto overwrites the first one."""
    new.create_saml_provider(Name="WAAD", SAMLMetadataDocument=document)
    assert refusal(new.create_saml_provider, Name="WAAD", SAMLMetadataDocument=document)[::2] == ("EntityAlreadyExists", 409)


@pytest.mark.parametrize("name", ["with space", "a/b", "x" * 129, "plus+sign", "ü"])
def test_a_name_outside_the_pattern_is_refused(new, aws, refusal, document, name):
    """The botocore model: [\\w._-]+, 1..128."""
    aws.org.cloud.accounts[aws.account(name="QA")["id"]].role("awsfed-writer").policies["all"] = _all_allowed()
    assert refusal(new.create_saml_provider, Name=name, SAMLMetadataDocument=document)[::2] == ("ValidationError", 400)


def _all_allowed() -> str:
    return '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'


def several(entity: str, count: int) -> str:
    """One document of several entities, each without keys of its own but the first."""
    bare = re.sub(r"<KeyDescriptor.*</KeyDescriptor>", "", entity)
    others = (bare.replace(TENANT, f"https://idp{number}.example/") for number in range(1, count))
    return f'<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">{entity}{"".join(others)}</EntitiesDescriptor>'


def test_ten_entities_and_a_document_without_signing_keys_are_taken(new, document, waad):
    """A recording of AWS; what was taken for a refusal here was a guess."""
    new.create_saml_provider(Name="WAAD", SAMLMetadataDocument=several(document, 10))
    new.update_saml_provider(SAMLProviderArn=waad, SAMLMetadataDocument=document.replace('use="signing"', 'use="encryption"'))


def test_encryption_of_assertions_is_kept_key_by_key(new, refusal, document, waad):
    """The botocore model: two modes, two keys at most, and an update leaves alone what it does not name."""
    pem = "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----"
    new.create_saml_provider(Name="WAAD", SAMLMetadataDocument=document, AssertionEncryptionMode="Required", AddPrivateKey=pem.format(1))
    new.update_saml_provider(SAMLProviderArn=waad, AddPrivateKey=pem.format(2))
    new.update_saml_provider(SAMLProviderArn=waad, SAMLMetadataDocument=document)
    found = new.get_saml_provider(SAMLProviderArn=waad)
    assert (found["AssertionEncryptionMode"], len(found["PrivateKeyList"])) == ("Required", 2)
    change = {"SAMLProviderArn": waad}
    assert refusal(new.update_saml_provider, **change, AssertionEncryptionMode="Maybe")[::2] == ("ValidationError", 400)
    assert refusal(new.update_saml_provider, **change, AddPrivateKey=pem.format(3))[0] == "LimitExceeded"
    new.update_saml_provider(**change, RemovePrivateKey=found["PrivateKeyList"][0]["KeyId"], AssertionEncryptionMode="Allowed")
    found = new.get_saml_provider(SAMLProviderArn=waad)
    assert (found["AssertionEncryptionMode"], len(found["PrivateKeyList"])) == ("Allowed", 1)


def refused_documents(certificates) -> dict[str, tuple[str, str]]:
    good = metadata.render(TENANT, certificates[:1], "https://login.microsoftonline.com/common/saml2")
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    weak = metadata.certificate_for(small, "weak")
    assert weak.public_key().key_size == 1024  # 1024 is the least that IAM takes
    return {
        "short": (good[:999], "ValidationError"),
        "not xml": ("x" * 1200, "InvalidInput"),
        "byte order mark": ("\ufeff" + good, "InvalidInput"),
        "doctype": ('<!DOCTYPE x [<!ENTITY a "b">]>' + good, "InvalidInput"),
        "no identity provider": (good.replace("IDPSSODescriptor", "SPSSODescriptor"), "InvalidInput"),
        "eleven entities": (several(good, 11), "LimitExceeded"),
        "broken certificate": (good.replace("MII", "AAA", 1), "InvalidInput"),
        "no entity id": (good.replace("entityID", "entityid"), "InvalidInput"),
        "another root": (good.replace("EntityDescriptor", "Entity"), "InvalidInput"),
        "eleven keys": (metadata.render(TENANT, certificates, "https://x"), "LimitExceeded"),
    }


CASES = ["short", "not xml", "byte order mark", "doctype", "no identity provider", "eleven entities", "broken certificate", "no entity id",
         "another root", "eleven keys"]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_document_that_iam_does_not_take(new, refusal, certificates, case):
    """IAM User Guide: id_roles_providers_create_saml (UTF-8 without BOM), troubleshoot_saml ("Could not parse metadata"), quotas (10 keys)."""
    text, code = refused_documents(certificates)[case]
    answer = refusal(new.create_saml_provider, Name="WAAD", SAMLMetadataDocument=text)
    assert answer[0] == code
    if code == "InvalidInput":
        no_issuer = "SAML Providers must reference at least one SAML assertion issuer."
        assert answer[1] == (no_issuer if case == "no identity provider" else "Could not parse metadata")
    assert [one["Arn"] for one in new.list_saml_providers()["SAMLProviderList"] if one["Arn"].endswith("/WAAD")] == []


def test_a_key_below_1024_bits_is_refused(new, refusal, monkeypatch, document):
    """IAM User Guide, troubleshoot_saml: keys of at least 1024 bits. (No library makes smaller ones any more, so the size is pretended.)."""
    monkeypatch.setattr(metadata, "_bits", lambda key: 1023)
    metadata.read.cache_clear()
    assert refusal(new.create_saml_provider, Name="WAAD", SAMLMetadataDocument=document)[0] == "InvalidInput"


def test_ten_keys_are_taken(new, certificates, waad):
    """IAM quotas: 10 keys a provider: room for an old and a new certificate."""
    new.create_saml_provider(Name="WAAD", SAMLMetadataDocument=metadata.render(TENANT, certificates[:10], "https://x"))
    assert new.get_saml_provider(SAMLProviderArn=waad)["SAMLMetadataDocument"].count("<KeyDescriptor") == 10


def test_the_101st_provider_is_refused(aws, new, refusal, document):
    """IAM quotas: 100 SAML providers an account, not adjustable."""
    account = aws.org.cloud.accounts[aws.account(name="QA")["id"]]
    one = next(iter(account.backend.saml_providers.values()))
    account.backend.saml_providers.update({f"p{number}": one for number in range(99)})
    assert refusal(new.create_saml_provider, Name="WAAD", SAMLMetadataDocument=document)[::2] == ("LimitExceeded", 409)


def test_an_update_replaces_the_document_and_keeps_arn_and_tags(new, document, certificates, waad):
    """API_UpdateSAMLProvider: the way to renew a certificate without touching any role."""
    new.create_saml_provider(Name="WAAD", SAMLMetadataDocument=document, Tags=[{"Key": "a", "Value": "b"}])
    both = metadata.render(TENANT, certificates[:2], "https://x")
    assert new.update_saml_provider(SAMLProviderArn=waad, SAMLMetadataDocument=both)["SAMLProviderArn"] == waad
    found = new.get_saml_provider(SAMLProviderArn=waad)
    assert (found["SAMLMetadataDocument"], found["Tags"]) == (both, [{"Key": "a", "Value": "b"}])


def test_an_update_without_a_document_keeps_the_document(new, document, waad):
    """The botocore model: SAMLMetadataDocument is optional on update; moto erases it."""
    new.create_saml_provider(Name="WAAD", SAMLMetadataDocument=document)
    new.update_saml_provider(SAMLProviderArn=waad, AssertionEncryptionMode="Allowed")
    assert new.get_saml_provider(SAMLProviderArn=waad)["SAMLMetadataDocument"] == document


def test_an_update_with_nothing_in_it_is_refused(new, refusal, document, waad):
    """IAM User Guide, troubleshoot_saml: "Unable to update identity provider. No updates are defined …"."""
    new.create_saml_provider(Name="WAAD", SAMLMetadataDocument=document)
    assert refusal(new.update_saml_provider, SAMLProviderArn=waad)[0] == "InvalidInput"


def test_a_bad_update_leaves_the_old_document(new, refusal, document, waad):
    new.create_saml_provider(Name="WAAD", SAMLMetadataDocument=document)
    assert refusal(new.update_saml_provider, SAMLProviderArn=waad, SAMLMetadataDocument="\ufeff" + document)[0] == "InvalidInput"
    assert new.get_saml_provider(SAMLProviderArn=waad)["SAMLMetadataDocument"] == document


def test_an_unknown_provider_is_404(new, refusal, document, waad):
    for call, more in ((new.get_saml_provider, {}), (new.update_saml_provider, {"SAMLMetadataDocument": document})):
        assert refusal(call, SAMLProviderArn=waad, **more)[::2] == ("NoSuchEntity", 404)


def test_tags_are_kept_listed_and_removed(new, document, waad):
    """The botocore model: TagSAMLProvider, ListSAMLProviderTags, UntagSAMLProvider; moto has none of them."""
    new.create_saml_provider(Name="WAAD", SAMLMetadataDocument=document)
    new.tag_saml_provider(SAMLProviderArn=waad, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    new.tag_saml_provider(SAMLProviderArn=waad, Tags=[{"Key": "a", "Value": "3"}])
    assert new.list_saml_provider_tags(SAMLProviderArn=waad)["Tags"] == [{"Key": "a", "Value": "3"}, {"Key": "b", "Value": "2"}]
    new.untag_saml_provider(SAMLProviderArn=waad, TagKeys=["a"])
    assert new.get_saml_provider(SAMLProviderArn=waad)["Tags"] == [{"Key": "b", "Value": "2"}]


@pytest.mark.parametrize(
    "tags",
    [
        [{"Key": f"k{number}", "Value": ""} for number in range(51)],
        [{"Key": "x" * 129, "Value": ""}],
        [{"Key": "k", "Value": "x" * 257}],
        [{"Key": "aws:owner", "Value": ""}],
        [{"Key": "Name", "Value": ""}, {"Key": "name", "Value": ""}],
    ],
)
def test_tags_outside_the_limits_are_refused(new, refusal, document, tags):
    """IAM User Guide, id_tags: 50 tags, keys of 128, values of 256 characters, no `aws:`, keys unique without regard to case."""
    assert refusal(new.create_saml_provider, Name="WAAD", SAMLMetadataDocument=document, Tags=tags)[2] == 400


def test_valid_until_is_not_the_end_of_the_certificate(new, document, waad, certificates):
    """A public fixture shows a provider of 2024 that is valid until 2126: only the certificates in the document tell when they end."""
    new.create_saml_provider(Name="WAAD", SAMLMetadataDocument=document)
    assert new.get_saml_provider(SAMLProviderArn=waad)["ValidUntil"] > certificates[0].not_valid_after_utc
    assert new.get_saml_provider(SAMLProviderArn=waad)["ValidUntil"] > datetime(2100, 1, 1, tzinfo=UTC)


def test_the_uuid_differs_between_accounts(aws):
    """The address for encrypted assertions holds it, so one application cannot encrypt for many accounts."""
    found = [aws.iam(account).get_saml_provider(SAMLProviderArn=f"arn:aws:iam::{account}:saml-provider/WAAD")["SAMLProviderUUID"]
             for account in (aws.sales, aws.world["org"]["hub"])]  # fmt: skip
    assert found[0] != found[1]


def test_another_update_at_the_same_time_is_a_concurrent_modification(aws, new, refusal, document, waad):
    """API_UpdateSAMLProvider: ConcurrentModification, 409, which botocore does not repeat."""
    new.create_saml_provider(Name="WAAD", SAMLMetadataDocument=document)
    aws.switch(concurrent_modifications=1)
    assert refusal(new.update_saml_provider, SAMLProviderArn=waad, SAMLMetadataDocument=document)[::2] == ("ConcurrentModification", 409)
    assert new.update_saml_provider(SAMLProviderArn=waad, SAMLMetadataDocument=document)


def test_deleting_a_provider_leaves_the_roles_that_trust_it(aws):
    """API_DeleteSAMLProvider: roles keep naming it and can no longer be assumed through it."""
    account = aws.org.cloud.accounts[aws.sales]
    account.role("awsfed-writer").policies["all"] = _all_allowed()
    iam = aws.iam(aws.sales, "awsfed-writer")
    iam.delete_saml_provider(SAMLProviderArn=f"arn:aws:iam::{aws.sales}:saml-provider/WAAD")
    names = {one["RoleName"] for one in iam.list_roles(MaxItems=1000)["Roles"]}
    assert "sales-aws-admin" in names
