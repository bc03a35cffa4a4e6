"""What runbooks ask of the past: `fed.history.past(run.target)`, then counts, spans, churn, reached."""

from awsfed_lib.edges.records.past import Past, Target, counts, listed, past
from awsfed_lib.edges.records.reached import reached
from awsfed_lib.edges.records.spans import churn, spans

__all__ = ["Past", "Target", "churn", "counts", "listed", "past", "reached", "spans"]
