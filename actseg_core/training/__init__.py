"""Training: the paper's losses and schedules, and the recipe of the lite model."""
