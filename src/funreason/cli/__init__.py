"""The `funreason` command: one module per command, each with `add(parser)`.

Libraries are imported inside the functions that run: `funreason --help` answers at once, and each command needs only
the packages it uses.
"""
