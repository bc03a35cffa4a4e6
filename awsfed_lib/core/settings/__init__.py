"""Parameters, the rules of notebooks, and the verdicts of runs."""
