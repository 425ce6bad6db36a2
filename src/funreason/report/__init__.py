"""What came out of the rounds, and what another one would cost."""
