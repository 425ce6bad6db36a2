"""What a run would do before it runs: which stages rerun, what the next round asks, how many hours it takes.

All of it is told in `StageEstimate`s, which `estimate` makes of the metrics of the last run.
"""
