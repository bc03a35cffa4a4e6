"""What every account should have: the SAML provider and the roles."""
