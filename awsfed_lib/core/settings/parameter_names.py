"""Every parameter of every runbook: its name, its type, its limits, its default and its help."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from awsfed_lib.core.settings.application_rules import (
    attribute,
    certificate_name,
    endpoint_names,
    identifier_uri,
    mail_addresses,
    user_name,
    web_address,
)
from awsfed_lib.core.settings.campaign_rules import account_ids, exclusions, thumbprint
from awsfed_lib.core.settings.campaign_rules import response_file as response_path
from awsfed_lib.core.settings.parameter_rules import (
    account_names,
    approval,
    calendar_day,
    csv_file,
    group_template,
    guid,
    label_template,
    one_account,
    patterns,
    provider_name,
    role_path,
    sheet_file,
    text,
    variable_names,
    whole_number,
    yaml_file,
)
from awsfed_lib.core.settings.recovery_rules import person, run_name
from awsfed_lib.core.settings.trail_rules import entries_source, partition_columns, region_codes, table_name

Cloud = Literal["global", "usgov", "usgov-dod", "china", "sandbox"]
SignInMethod = Literal["certificate", "managed-identity", "workload", "device-code", "interactive", "secret"]
Partition = Literal["aws", "aws-us-gov", "aws-cn", "aws-eusc"]
RolloverMode = Literal["planned", "emergency"]
FailOn = Literal["critical", "high", "medium", "low", "never"]

_Guid = Annotated[str, BeforeValidator(guid)]
_Names = Annotated[tuple[str, ...], BeforeValidator(patterns)]


class Parameters(BaseModel):
    """The checked parameters of one run; frozen. The help of each is its description."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    tenant_id: _Guid = Field("", description="Directory (tenant) id of Entra ID.", json_schema_extra={"needed": True})
    cloud: Cloud = Field("global", description="Which Entra ID: global, usgov, usgov-dod, china; sandbox is the one on this machine.")
    client_id: _Guid = Field("", description="Application (client) id that awsfed signs in as.", json_schema_extra={"needed": True})
    sign_in: SignInMethod = Field(
        "certificate", description="How it signs in. Secrets and keys come from the environment, never from here."
    )
    application_id: _Guid = Field(
        "",
        description="Object id of the enterprise application for AWS (its service principal).",
        json_schema_extra={"needed": True},
    )
    application_name: Annotated[str, BeforeValidator(text(90))] = Field(
        "", description="Name of the enterprise application that 01-application makes when application_id is empty."
    )
    identifier: Annotated[str, BeforeValidator(identifier_uri)] = Field(
        "", description="Identifier (Entity ID) of the application; empty takes the first of …/saml, …/saml#1 … that is free."
    )
    endpoints: Annotated[tuple[str, ...], BeforeValidator(endpoint_names)] = Field(
        ("global",), description="Sign-in endpoints of AWS: global, region codes such as eu-west-1; the first is the default reply URL."
    )
    relay_state: Annotated[str, BeforeValidator(web_address)] = Field(
        "", description="Page of the AWS console that a sign-in opens; empty leaves it as it is."
    )
    notify: Annotated[tuple[str, ...], BeforeValidator(mail_addresses)] = Field(
        (), description="Mail addresses that Entra ID tells before a signing certificate ends; at most five."
    )
    claims_policy: Annotated[str, BeforeValidator(text(256))] = Field(
        "", description="Name of the claims mapping policy of the application; empty leaves its claims as they are."
    )
    session_duration: Annotated[int, BeforeValidator(whole_number)] = Field(
        3600, ge=900, le=43_200, description="SessionDuration: seconds that a console session lasts."
    )
    session_name: Annotated[str, BeforeValidator(attribute)] = Field(
        "userprincipalname", description="Attribute of the user that becomes RoleSessionName."
    )
    certificate: Annotated[str, BeforeValidator(certificate_name)] = Field(
        "", description="Name of the signing certificate of the application, such as CN=AWS 2026.", json_schema_extra={"needed": True}
    )
    test_user: Annotated[str, BeforeValidator(user_name)] = Field(
        "", description="User name of a person whose sign-in is simulated, such as britta.simon@contoso.com."
    )
    partition: Partition = Field("aws", description="AWS partition of the accounts.")
    via: Annotated[str, BeforeValidator(role_path)] = Field(
        "", description="Role that awsfed assumes in each account to read it, without arn: and account.", json_schema_extra={"needed": True}
    )
    external_id: Annotated[str, BeforeValidator(text(1224))] = Field(
        "", description="External id that the trust of `via` asks for; no secret."
    )
    provider: Annotated[str, BeforeValidator(provider_name)] = Field(
        "", description="Name of the SAML provider in each account, without arn:.", json_schema_extra={"needed": True}
    )
    writer: Annotated[str, BeforeValidator(role_path)] = Field(
        "",
        description="Role that awsfed assumes in each account to change it: another one than `via`, with the same external id.",
        json_schema_extra={"needed": True},
    )
    remover: Annotated[str, BeforeValidator(role_path)] = Field(
        "", description="Role that 12-offboard assumes to delete; give it to the account for that time.", json_schema_extra={"needed": True}
    )
    account_id: Annotated[str, BeforeValidator(one_account)] = Field(
        "", description="The one account that comes or goes: 12 digits, in quotes.", json_schema_extra={"needed": True}
    )
    families_file: Annotated[str, BeforeValidator(yaml_file)] = Field(
        "families.yml", description="YAML below parameters/ with the roles that every account gets."
    )
    names_file: Annotated[str, BeforeValidator(csv_file)] = Field(
        "", description="CSV below parameters/ that freezes what stands for an account in role names: account_id, slug."
    )
    failures_tolerated: Annotated[int, BeforeValidator(whole_number)] = Field(
        0, ge=0, le=10_000, description="Accounts that may fail before the others are left alone; a canary account never may."
    )
    accounts_file: Annotated[str, BeforeValidator(csv_file)] = Field(
        "", description="CSV of accounts below parameters/, instead of AWS Organizations."
    )
    include_accounts: Annotated[tuple[str, ...], BeforeValidator(account_names)] = Field(
        (), description="Only these accounts: ids in quotes, names, or paths of organisational units; patterns allowed."
    )
    exclude_accounts: Annotated[tuple[str, ...], BeforeValidator(account_names)] = Field((), description="Not these accounts; as above.")
    workers: Annotated[int, BeforeValidator(whole_number)] = Field(16, ge=1, le=64, description="Accounts read at the same time.")
    kernel_variables: Annotated[tuple[str, ...], BeforeValidator(variable_names)] = Field(
        (),
        description="Names of environment variables that kernels get besides, such as what the credential_process of an AWS profile "
        "needs; only in the parameter file, never for the sandbox.",
    )
    stack_regions: Annotated[tuple[str, ...], BeforeValidator(region_codes)] = Field(
        (),
        description="Regions whose CloudFormation is asked which stack owns what a plan writes; none takes the first of the partition "
        "(us-east-1) and that of the sign-in to AWS.",
    )
    role_label: Annotated[str, BeforeValidator(label_template)] = Field(
        "{account_name} / {role_name}", description="Display name of an appRole."
    )
    group_name: Annotated[str, BeforeValidator(group_template)] = Field(
        "AWS-{account_id}-{role_name}", description="Name of the group of a role."
    )
    group_map: Annotated[str, BeforeValidator(csv_file)] = Field(
        "", description="CSV below parameters/ that names the group of a role, where group_name does not fit."
    )
    max_removed: Annotated[int, BeforeValidator(whole_number)] = Field(
        0, ge=0, le=10_000, description="AppRoles plus assignments that one plan may remove; 0 means none."
    )
    protected_roles: _Names = Field((), description="AppRoles that no plan removes: patterns over value, role name and display name.")
    protected_groups: _Names = Field((), description="Groups whose assignments no plan removes: patterns over the name.")
    break_glass: _Names = Field((), description="Principals that no plan touches: ids or patterns over the name.")
    response_file: Annotated[str, BeforeValidator(response_path)] = Field(
        "", description="File below runs/.responses/ with a SAML response to check; empty checks none, or asks at the notebook."
    )
    enter_roles: _Names = Field(
        (), description="Roles to enter for real with that response: patterns over the ARN; none asks nothing of AWS."
    )
    message: Annotated[str, BeforeValidator(text(2000))] = Field("", description="What AWS or Entra ID said when a sign-in failed.")
    certificate_thumbprint: Annotated[str, BeforeValidator(thumbprint)] = Field(
        "", description="Thumbprint of the new certificate, where it was made by hand; empty goes by its name."
    )
    rollover: RolloverMode = Field(
        "planned", description="planned; emergency makes a certificate although it signs at once, and goes to all accounts together."
    )
    canary_accounts: Annotated[tuple[str, ...], BeforeValidator(account_ids)] = Field(
        (), description="Account ids that a new certificate goes to first; none takes the first account."
    )
    campaign_exclusions: Annotated[tuple[str, ...], BeforeValidator(exclusions)] = Field(
        (), description='Accounts that a rollover does not wait for, one by one, each with its reason: "012345678901: closed in May".'
    )
    wave_accounts: Annotated[int, BeforeValidator(whole_number)] = Field(
        50, ge=1, le=1000, description="Accounts that are written together; a wave with a failure is the last one."
    )
    soak_days: Annotated[int, BeforeValidator(whole_number)] = Field(
        7, ge=0, le=90, description="Days between a proven sign-in with the new certificate and the end of the old one."
    )
    window_days: Annotated[int, BeforeValidator(whole_number)] = Field(
        14, ge=0, le=90, description="Days that a rollover takes; none begins when the active certificate ends sooner."
    )
    restore_from: Annotated[str, BeforeValidator(run_name)] = Field(
        "", description="Name of the run below runs/ whose snapshot is restored.", json_schema_extra={"needed": True}
    )
    verify_run: Annotated[str, BeforeValidator(run_name)] = Field(
        "", description="Name of the run below runs/ that sent a plan, to verify once more.", json_schema_extra={"needed": True}
    )
    wait_minutes: Annotated[int, BeforeValidator(whole_number)] = Field(
        20, ge=0, le=10_080, description="Minutes that must lie between the sending and the verification; replicas and jobs need some."
    )
    user: Annotated[str, BeforeValidator(person)] = Field(
        "", description="Person: 16-revoke takes every path away, 13-history asks about one; user name, or object id."
    )
    group: Annotated[str, BeforeValidator(text(256))] = Field(
        "", description="Group whose assignments are revoked: display name or object id."
    )
    role: Annotated[str, BeforeValidator(text(512))] = Field(
        "", description="Role that 16-revoke takes from everybody (value, display name, ARN), or 13-history asks about (ARN, name)."
    )
    log_days: Annotated[int, BeforeValidator(whole_number)] = Field(
        30, ge=1, le=30, description="Days of Entra ID's sign-in log that are read; it keeps 30 with P1 or P2."
    )
    entered_from: Annotated[str, BeforeValidator(entries_source)] = Field(
        "",
        description="Who entered which role: lookup asks CloudTrail in every account, a CSV below parameters/ is what Athena gave for the "
        "query of 10-access, empty asks nobody.",
    )
    trail_days: Annotated[int, BeforeValidator(whole_number)] = Field(
        90, ge=1, le=400, description="Days of CloudTrail that are asked for; lookup has 90 at most."
    )
    trail_pages: Annotated[int, BeforeValidator(whole_number)] = Field(
        20, ge=1, le=200, description="Pages of 50 events that lookup reads of one account and Region at most; two pages take a second."
    )
    trail_regions: Annotated[tuple[str, ...], BeforeValidator(region_codes)] = Field(
        (), description="Regions whose CloudTrail is asked; none takes those of the application's reply URLs. Command lines may use others."
    )
    trail_table: Annotated[str, BeforeValidator(table_name)] = Field(
        "cloudtrail_logs", description="Name of the table of the organization's trail in Athena, with its database where needed."
    )
    trail_partitions: Annotated[tuple[str, ...], BeforeValidator(partition_columns)] = Field(
        ("account", "region", "timestamp"),
        description="Partition columns of this table: account, region, timestamp, year, month, day; none makes Athena read all of it.",
    )
    review_file: Annotated[str, BeforeValidator(sheet_file)] = Field(
        "",
        description="CSV or XLSX below parameters/: the sheet of 10-access with the reviewers' decisions.",
        json_schema_extra={"needed": True},
    )
    accepted_file: Annotated[str, BeforeValidator(csv_file)] = Field(
        "", description="CSV below parameters/ of findings that are accepted: finding_id, until, accepted_by, reason."
    )
    day: Annotated[str, BeforeValidator(calendar_day)] = Field(
        "", description="Day that 13-history asks about, YYYY-MM-DD in UTC and in quotes; empty is that of the newest run."
    )
    fail_on: FailOn = Field("high", description="A finding of this severity or worse makes the run end with exit code 4.")
    approved: Annotated[str, BeforeValidator(approval)] = Field("", description="Id of the plan to carry out, as the preview shows it.")


NAMES: tuple[str, ...] = tuple(Parameters.model_fields)


class Described(NamedTuple):
    """A parameter for people: name, type in words, default, help, and whether a runbook that has it needs a value."""

    name: str
    kind: str
    default: object
    help: str
    needed: bool


def described(name: str) -> Described:
    """Describe the parameter `name`."""
    field = Parameters.model_fields[name]
    needed = isinstance(field.json_schema_extra, dict) and bool(field.json_schema_extra.get("needed"))
    return Described(name, _in_words(field.annotation), field.default, field.description or "", needed)


def _in_words(annotation: Any) -> str:
    if options := get_args(annotation):
        return " | ".join(options) if all(isinstance(option, str) for option in options) else "list of text"
    return {str: "text", int: "whole number"}[annotation]
