"""Microsoft Entra ID and Graph."""
