"""TODO assemble."""
