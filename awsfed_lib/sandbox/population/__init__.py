"""The people, accounts, roles and applications of a sandbox world, made from a seed."""
