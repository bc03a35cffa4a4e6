"""awsfed: runbooks for SAML federation from Microsoft Entra ID into many AWS accounts."""
