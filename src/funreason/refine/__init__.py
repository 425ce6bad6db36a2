"""FCDR, FunReason's refinement of function-calling data: generated rows go through five checks of a judge.

From top to bottom: `generate` writes reasoning and answer of every task; `checks` has the five checks; `loop` takes all
rows through one of them; `modes` says who decides, judges or heuristics; `panel` asks the judges of a check; `judge`
asks one model, and `reply` reads its text.

A judge's text becomes a `JudgeReply`, the replies of all judges a `PanelVerdict`, and the verdicts on a row a
`CheckResult`, which is the row's line in the ledger. `funreason.ledger` has the results of all checks as a
`RowHistory`, which ends in an `Outcome`.
"""
