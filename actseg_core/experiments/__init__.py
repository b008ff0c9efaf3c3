"""The paper's ablations and comparisons: train, measure, one table, one verdict per finding."""
