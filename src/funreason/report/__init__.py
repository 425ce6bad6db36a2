"""The results of the rounds: the table of rounds, the comparison with published numbers, the regression gate, code
retention."""
