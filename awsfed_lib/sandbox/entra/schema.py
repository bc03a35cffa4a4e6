"""The kinds of directory objects: what they answer by default, what can be selected, filtered and written.

Names are those of the v1.0 metadata (msgraph-metadata schemas/v1.0-Prod.csdl); the filter lists are those of
docs-contrib concepts/aad-advanced-queries.md and filter-directory-objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of object: its properties, with the value of each where none is known.

    `answers`: what a GET returns; `on_request`: what comes only by $select. `contains`: properties for which `contains` can filter.
    `once`: properties that can be written while they are null.
    What can be filtered and is in neither is no property of v1.0 (docs-contrib filter-directory-objects names some).
    """

    table: str
    type: str
    answers: Mapping[str, Any]
    on_request: Mapping[str, Any] = field(default_factory=dict)
    plain_filters: frozenset[str] = frozenset()
    advanced_filters: frozenset[str] = frozenset()
    alternate_keys: tuple[str, ...] = ()
    read_only: frozenset[str] = frozenset()
    contains: frozenset[str] = frozenset()
    once: frozenset[str] = frozenset()

    @property
    def resource(self) -> str:
        """The kind as messages name it: `ServicePrincipal`."""
        return self.type[0].upper() + self.type[1:]

    @property
    def names(self) -> frozenset[str]:
        """Every property."""
        return frozenset(self.on_request) | frozenset(self.answers)

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
    _values("createdByAppId isDisabled customSecurityAttributes"),
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
    _values(
        "createdByAppId isDisabled logo nativeAuthenticationApisEnabled oauth2RequirePostResponse authenticationBehaviors",
        "managerApplications",
    ),
    _names("id appId displayName identifierUris tags uniqueName createdDateTime signInAudience publisherDomain applicationTemplateId"),
    _names("web notes description"),
    ("appId", "uniqueName"),
    _names("id appId deletedDateTime applicationTemplateId createdDateTime publisherDomain verifiedPublisher createdByAppId"),
    once=_names("uniqueName"),
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
    _values(
        "accessType allowExternalSenders autoSubscribeNewMembers hasMembersWithLicenseErrors hideFromAddressLists hideFromOutlookClients "
        "isArchived isFavorite isManagementRestricted isSubscribedByMail licenseProcessingState onPremisesExtensionAttributes organizationId "
        "unseenConversationsCount unseenCount unseenMessagesCount welcomeMessageEnabled",
        "assignedLabels assignedLicenses infoCatalogs",
    ),
    _names(
        "id displayName mailNickname mail securityEnabled mailEnabled createdByAppId isAssignableToRole membershipRule groupTypes "
        "onPremisesSyncEnabled"
    ),
    _names("description"),
    ("uniqueName",),
    _names("id deletedDateTime createdDateTime mail renewedDateTime securityIdentifier proxyAddresses"),
    once=_names("uniqueName"),
)

USER = Kind(
    "users",
    "user",
    _values(
        "displayName givenName id jobTitle mail mobilePhone officeLocation preferredLanguage surname userPrincipalName", "businessPhones"
    ),
    _values(
        "aboutMe accountEnabled ageGroup authorizationInfo birthday city companyName consentProvidedForMinor country createdDateTime "
        "creationType customSecurityAttributes deletedDateTime department deviceEnrollmentLimit employeeHireDate employeeId "
        "employeeLeaveDateTime employeeOrgData employeeType externalUserState externalUserStateChangeDateTime faxNumber hireDate "
        "identityParentId isManagementRestricted isResourceAccount lastPasswordChangeDateTime legalAgeGroupClassification mailNickname "
        "mailboxSettings mySite onPremisesDistinguishedName onPremisesDomainName onPremisesExtensionAttributes onPremisesImmutableId "
        "onPremisesLastSyncDateTime onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled onPremisesUserPrincipalName "
        "passwordPolicies passwordProfile postalCode preferredDataLocation preferredName print securityIdentifier showInAddressList "
        "signInActivity signInSessionsValidFromDateTime state streetAddress usageLocation userType",
        "assignedLicenses assignedPlans identities imAddresses interests licenseAssignmentStates onPremisesProvisioningErrors otherMails "
        "pastProjects provisionedPlans proxyAddresses responsibilities schools serviceProvisioningErrors skills",
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
