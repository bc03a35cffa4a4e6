"""Faults on demand: what networks, gateways, replicas and other people do to a request, switchable and the same for one seed."""
