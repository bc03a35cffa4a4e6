"""Roles of AWS, and what stands for them in Entra ID: appRoles, groups, assignments."""
