"""What is checked: the audit and its evidence, and what a runbook needs before it starts."""
