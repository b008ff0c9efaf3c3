"""How well sentences are answered: metrics, the evaluator, reports, the paper's tables."""
