"""The kinds of directory objects: what they answer by default, what can be selected, filtered and written.

Names are those of the v1.0 metadata (msgraph-metadata schemas/v1.0-Prod.csdl); the filter lists are those of
docs-contrib concepts/aad-advanced-queries.md and filter-directory-objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of object. `answers`: what a GET returns, with the value where none is known; `on_request`: only by $select."""

    table: str
    type: str
    answers: Mapping[str, Any]
    on_request: frozenset[str] = frozenset()
    plain_filters: frozenset[str] = frozenset()
    advanced_filters: frozenset[str] = frozenset()
    alternate_keys: tuple[str, ...] = ()
    read_only: frozenset[str] = frozenset()

    @property
    def resource(self) -> str:
        """The kind as messages name it: `ServicePrincipal`."""
        return self.type[0].upper() + self.type[1:]

    @property
    def names(self) -> frozenset[str]:
        """Every property."""
        return self.on_request | frozenset(self.answers)

    def filled(self, record: Record) -> dict[str, Any]:
        """The record with everything that a GET answers."""
        return {**self.answers, **record}


def _values(nulls: str, lists: str = "", **others: Any) -> dict[str, Any]:
    return {**dict.fromkeys(nulls.split()), **{name: [] for name in lists.split()}, **others}


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


SERVICE_PRINCIPAL = Kind(
    "servicePrincipals",
    "servicePrincipal",
    _values(
        "id deletedDateTime appDescription appDisplayName appId applicationTemplateId appOwnerOrganizationId description "
        "disabledByMicrosoftStatus displayName homepage loginUrl logoutUrl notes preferredSingleSignOnMode "
        "preferredTokenSigningKeyThumbprint signInAudience tokenEncryptionKeyId samlSingleSignOnSettings",
        "alternativeNames notificationEmailAddresses replyUrls servicePrincipalNames tags addIns appRoles keyCredentials "
        "oauth2PermissionScopes passwordCredentials resourceSpecificApplicationPermissions",
        accountEnabled=True,
        appRoleAssignmentRequired=False,
        servicePrincipalType="Application",
        info=_values("logoUrl marketingUrl privacyStatementUrl supportUrl termsOfServiceUrl"),
        verifiedPublisher=_values("displayName verifiedPublisherId addedDateTime"),
    ),
    _names("createdByAppId isDisabled customSecurityAttributes preferredTokenSigningKeyEndDateTime publisherName createdDateTime"),
    _names(
        "accountEnabled appId applicationTemplateId displayName id preferredSingleSignOnMode preferredTokenSigningKeyEndDateTime "
        "publisherName servicePrincipalNames servicePrincipalType tags alternativeNames"
    ),
    _names("appOwnerOrganizationId appRoleAssignmentRequired description notes homepage owners loginUrl replyUrls"),
    ("appId",),
    _names(
        "id appId deletedDateTime appDisplayName appDescription applicationTemplateId appOwnerOrganizationId oauth2PermissionScopes "
        "disabledByMicrosoftStatus signInAudience verifiedPublisher createdByAppId createdDateTime preferredTokenSigningKeyEndDateTime "
        "publisherName"
    ),
)

APPLICATION = Kind(
    "applications",
    "application",
    _values(
        "id deletedDateTime appId applicationTemplateId disabledByMicrosoftStatus createdDateTime displayName description "
        "groupMembershipClaims isFallbackPublicClient notes publisherDomain serviceManagementReference tokenEncryptionKeyId "
        "samlMetadataUrl defaultRedirectUri certification optionalClaims servicePrincipalLockConfiguration requestSignatureVerification "
        "uniqueName isDeviceOnlyAuthSupported",
        "identifierUris tags addIns appRoles keyCredentials passwordCredentials requiredResourceAccess",
        signInAudience="AzureADMyOrg",
        api=_values(
            "acceptMappedClaims requestedAccessTokenVersion",
            "knownClientApplications oauth2PermissionScopes preAuthorizedApplications",
        ),
        web=_values(
            "homePageUrl logoutUrl",
            "redirectUris redirectUriSettings",
            implicitGrantSettings={"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False},
        ),
        spa={"redirectUris": []},
        publicClient={"redirectUris": []},
        info=_values("logoUrl marketingUrl privacyStatementUrl supportUrl termsOfServiceUrl"),
        parentalControlSettings={"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
        verifiedPublisher=_values("displayName verifiedPublisherId addedDateTime"),
    ),
    _names("createdByAppId isDisabled logo oauth2RequirePostResponse managerApplications authenticationBehaviors"),
    _names("id appId displayName identifierUris tags uniqueName createdDateTime signInAudience publisherDomain applicationTemplateId"),
    _names("web notes description"),
    ("appId", "uniqueName"),
    _names("id appId deletedDateTime applicationTemplateId createdDateTime publisherDomain verifiedPublisher uniqueName createdByAppId"),
)

GROUP = Kind(
    "groups",
    "group",
    _values(
        "id deletedDateTime classification createdDateTime description displayName expirationDateTime isAssignableToRole mail "
        "mailNickname membershipRule membershipRuleProcessingState onPremisesDomainName onPremisesLastSyncDateTime "
        "onPremisesNetBiosName onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled preferredDataLocation "
        "preferredLanguage renewedDateTime securityIdentifier theme uniqueName visibility",
        "groupTypes onPremisesProvisioningErrors proxyAddresses resourceBehaviorOptions resourceProvisioningOptions "
        "serviceProvisioningErrors",
        mailEnabled=False,
        securityEnabled=True,
    ),
    _names("assignedLabels assignedLicenses hasMembersWithLicenseErrors isArchived isManagementRestricted licenseProcessingState"),
    _names(
        "id displayName mailNickname mail securityEnabled mailEnabled uniqueName createdByAppId isAssignableToRole membershipRule groupTypes "
        "onPremisesSyncEnabled"
    ),
    _names("description"),
    ("uniqueName",),
    _names("id deletedDateTime createdDateTime mail renewedDateTime securityIdentifier uniqueName proxyAddresses"),
)

USER = Kind(
    "users",
    "user",
    _values(
        "displayName givenName id jobTitle mail mobilePhone officeLocation preferredLanguage surname userPrincipalName", "businessPhones"
    ),
    _names(
        "accountEnabled userType createdDateTime deletedDateTime department companyName employeeId mailNickname onPremisesSyncEnabled "
        "onPremisesSamAccountName otherMails usageLocation city country externalUserState creationType"
    ),
    _names("id displayName userPrincipalName mail givenName surname userType accountEnabled department mailNickname employeeId"),
    _names("city country companyName jobTitle"),
    ("userPrincipalName",),
)

POLICY = Kind(
    "claimsMappingPolicies",
    "claimsMappingPolicy",
    _values("id deletedDateTime description displayName", "definition", isOrganizationDefault=False),
    plain_filters=_names("id displayName isOrganizationDefault"),
)

ASSIGNMENT = Kind(
    "assignments",
    "appRoleAssignment",
    _values("id deletedDateTime appRoleId createdDateTime principalDisplayName principalId principalType resourceDisplayName resourceId"),
    plain_filters=_names("principalDisplayName resourceId"),
    advanced_filters=_names("principalId principalType resourceDisplayName"),
)

KINDS = {kind.table: kind for kind in (SERVICE_PRINCIPAL, APPLICATION, GROUP, USER, POLICY, ASSIGNMENT)}
PRINCIPALS = {"users": "User", "groups": "Group", "servicePrincipals": "ServicePrincipal"}
NULL_GUID = "00000000-0000-0000-0000-000000000000"
