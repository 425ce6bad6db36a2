"""TODO toy."""
