"""The embedded twin of Microsoft Entra ID, Microsoft Graph and an AWS organization: loopback only, imports nothing else of awsfed."""
