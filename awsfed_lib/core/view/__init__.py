"""How tables, plans, outcomes and notices look, in HTML and as text."""
