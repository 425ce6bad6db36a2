"""TODO cache."""
