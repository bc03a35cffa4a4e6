"""AWS: read only, but for requests of an approved plan."""
