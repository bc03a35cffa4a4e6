"""SAML providers: refusals and tags that moto lacks, over moto's store of them.

Sources: the botocore model of IAM (limits, error codes, `SAMLMetadataDocument` optional on update);
docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (100 providers an account), troubleshoot_saml.html.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import UTC
from typing import Any

from moto.iam.models import SAMLProvider

from awsfed_lib.sandbox.amazon import metadata
from awsfed_lib.sandbox.amazon.cloud import Account, Cloud
from awsfed_lib.sandbox.amazon.pages import moment
from awsfed_lib.sandbox.amazon.wire import Answer, AwsError, Call, element, result, tag_list

Operation = Callable[[Cloud, Account, Call], Answer]


def operations() -> dict[str, Operation]:
    """What can be done with SAML providers."""
    return {
        "CreateSAMLProvider": _create,
        "UpdateSAMLProvider": _update,
        "GetSAMLProvider": _get,
        "ListSAMLProviders": _list,
        "DeleteSAMLProvider": _delete,
        "TagSAMLProvider": _tag,
        "UntagSAMLProvider": _untag,
        "ListSAMLProviderTags": _list_tags,
    }


def _create(cloud: Cloud, account: Account, call: Call) -> Answer:
    name, document, tags = call.text("Name"), call.text("SAMLMetadataDocument"), call.tags()
    _require_name(name)
    require_tags(tags)
    _require_encryption(account, call, "")
    metadata.read(document)
    providers = account.backend.saml_providers
    if name in providers:
        raise AwsError("EntityAlreadyExists", f"SAMLProvider with name {name} already exists.", 409)
    if len(providers) >= 100:
        raise AwsError("LimitExceeded", "Cannot exceed quota for SAMLProvidersPerAccount: 100", 409)
    made = SAMLProvider(account.id, account.place.region, name, document)
    made.create_date = cloud.clock().astimezone(UTC).replace(tzinfo=None)
    providers[name] = made
    account.tags[made.arn] = dict(tags)
    account.encryption.pop(made.arn, None)
    _set_encryption(cloud, account, call, made.arn)
    return result(call, element("SAMLProviderArn", made.arn) + (tag_list(tags) if tags else ""))


def _require_name(name: str) -> None:
    if re.fullmatch(r"[\w.-]{1,128}", name, re.ASCII) is None:
        raise AwsError(
            "ValidationError",
            f"1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [\\w._-]+",
        )


def require_tags(tags: list[tuple[str, str]]) -> None:
    """Raise AwsError for more than 50 tags, a long key or value, a reserved key, or a key that comes twice."""
    if len(tags) > 50:
        raise AwsError(
            "ValidationError",
            "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50",
        )
    for key, value in tags:
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise AwsError(
                "ValidationError",
                "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length in its bounds",
            )
        if key.lower().startswith("aws:"):
            raise AwsError("InvalidInput", "Tag keys starting with aws: are reserved for system use.")
    if len({key.lower() for key, _ in tags}) < len(tags):
        raise AwsError("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")


def known(account: Account, call: Call) -> Any:
    """The provider that the request names; raises AwsError NoSuchEntity."""
    arn = call.text("SAMLProviderArn")
    found = account.provider(arn)
    if found is None:
        raise AwsError("NoSuchEntity", f"Manifest not found for arn {arn}", 404)
    return found


def _update(cloud: Cloud, account: Account, call: Call) -> Answer:
    """Replace what is named; everything else stays (every field is optional in the model; moto would erase the document)."""
    provider = known(account, call)
    named = ("SAMLMetadataDocument", "AssertionEncryptionMode", "AddPrivateKey", "RemovePrivateKey")
    if not any(name in call.params for name in named):
        raise AwsError("InvalidInput", "Unable to update identity provider. No updates are defined for metadata or encryption assertion.")
    _require_encryption(account, call, provider.arn)
    if "SAMLMetadataDocument" in call.params:
        metadata.read(call.text("SAMLMetadataDocument"))
        provider.saml_metadata_document = call.text("SAMLMetadataDocument")
    _set_encryption(cloud, account, call, provider.arn)
    return result(call, element("SAMLProviderArn", provider.arn))


def _require_encryption(account: Account, call: Call, provider_arn: str) -> None:
    """Raise AwsError for an unknown mode, for text that is no private key, for a third key, or for a key that is not there.

    Modes and "add your new key and then remove the old key in a separate request": the botocore model. Its PrivateKeyList holds two at most.
    """
    mode = call.text("AssertionEncryptionMode")
    if mode not in ("", "Required", "Allowed"):
        raise AwsError(
            "ValidationError",
            f"1 validation error detected: Value '{mode}' at 'assertionEncryptionMode' failed to satisfy constraint: "
            "Member must satisfy enum value set: [Required, Allowed]",
        )
    adds, removes = "AddPrivateKey" in call.params, call.text("RemovePrivateKey")
    keys = account.encryption_of(provider_arn).keys if provider_arn else {}
    if adds and removes:
        raise AwsError("InvalidInput", "A private key cannot be added and removed in one request.")
    if adds and "PRIVATE KEY-----" not in call.text("AddPrivateKey"):
        raise AwsError("InvalidInput", "The private key is not valid PEM.")
    if removes and removes not in keys:
        raise AwsError("NoSuchEntity", f"The private key {removes} cannot be found.", 404)
    if adds and len(keys) >= 2:
        raise AwsError("LimitExceeded", "Cannot exceed quota for PrivateKeysPerSAMLProvider: 2", 409)


def _set_encryption(cloud: Cloud, account: Account, call: Call, provider_arn: str) -> None:
    kept = account.encryption_of(provider_arn)
    kept.mode = call.text("AssertionEncryptionMode") or kept.mode
    kept.keys.pop(call.text("RemovePrivateKey"), None)
    if "AddPrivateKey" in call.params:
        key_id = hashlib.sha256(call.text("AddPrivateKey").encode()).hexdigest()[:22].upper()
        kept.keys[key_id] = cloud.clock()


def _get(cloud: Cloud, account: Account, call: Call) -> Answer:
    del cloud
    provider = known(account, call)
    inner = (
        element("SAMLProviderUUID", uuid_of(provider))
        + element("SAMLMetadataDocument", provider.saml_metadata_document)
        + _dates(provider)
        + tag_list(sorted(account.tags.get(provider.arn, {}).items()))
        + element("AssertionEncryptionMode", account.encryption_of(provider.arn).mode or None)
        + _private_keys(account, provider.arn)
    )
    return result(call, inner)


def _private_keys(account: Account, provider_arn: str) -> str:
    keys = account.encryption_of(provider_arn).keys
    members = (f"<member>{element('KeyId', key)}{element('Timestamp', moment(when))}</member>" for key, when in keys.items())
    return f"<PrivateKeyList>{''.join(members)}</PrivateKeyList>" if keys else ""


def uuid_of(provider: Any) -> str:
    """The provider's own id, different in every account (it is part of the address for encrypted assertions)."""
    return "SAMLSP" + hashlib.sha256(provider.arn.encode()).hexdigest()[:18].upper()


def _dates(provider: Any) -> str:
    # ValidUntil is not the certificate's end: public fixtures show a date a century after creation.
    created = provider.create_date
    return element("CreateDate", moment(created)) + element(
        "ValidUntil", moment(created.replace(year=created.year + 100, day=min(created.day, 28)))
    )


def _list(cloud: Cloud, account: Account, call: Call) -> Answer:
    """All of them at once: this call has no pages, and neither tags nor documents."""
    del cloud
    members = "".join(f"<member>{element('Arn', one.arn)}{_dates(one)}</member>" for one in list(account.backend.saml_providers.values()))
    return result(call, f"<SAMLProviderList>{members}</SAMLProviderList>")


def _delete(cloud: Cloud, account: Account, call: Call) -> Answer:
    """Roles that trust the provider stay, and nobody can assume them any more."""
    del cloud
    provider = known(account, call)
    del account.backend.saml_providers[provider.name]
    account.tags.pop(provider.arn, None)
    account.encryption.pop(provider.arn, None)
    return result(call)


def _tag(cloud: Cloud, account: Account, call: Call) -> Answer:
    del cloud
    provider, tags = known(account, call), call.tags()
    require_tags(tags)
    merged = account.tags.get(provider.arn, {}) | dict(tags)
    if len(merged) > 50:
        raise AwsError("LimitExceeded", "The number of tags has reached the maximum limit.", 409)
    account.tags[provider.arn] = merged
    return result(call)


def _untag(cloud: Cloud, account: Account, call: Call) -> Answer:
    del cloud
    provider, gone = known(account, call), set(call.members("TagKeys"))
    account.tags[provider.arn] = {key: value for key, value in account.tags.get(provider.arn, {}).items() if key not in gone}
    return result(call)


def _list_tags(cloud: Cloud, account: Account, call: Call) -> Answer:
    del cloud
    provider = known(account, call)
    return result(call, tag_list(sorted(account.tags.get(provider.arn, {}).items())) + "<IsTruncated>false</IsTruncated>")
