"""What AWS refuses and answers, around moto's IAM: signatures, permissions, paging, throttling, SAML providers, trust policies, STS."""
