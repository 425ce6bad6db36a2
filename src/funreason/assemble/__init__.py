"""The end of the chain of a round: validation without a judge, the pools, the round metrics and the training set."""
