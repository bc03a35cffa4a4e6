"""The inside of the twin of Entra ID and Microsoft Graph: one module a resource family or a rule of the service."""
