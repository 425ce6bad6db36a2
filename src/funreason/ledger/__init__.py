"""What happened to every row of a round, and why.

`results` is the line that a step writes about a row, `files` reads and writes the files of the steps. `outcomes`
follows a row through all steps to its one outcome, `metrics` and `planted` count outcomes. `history` reads the ledger
of a finished round, also one of an earlier version, and `text` shows it to a person.
"""
