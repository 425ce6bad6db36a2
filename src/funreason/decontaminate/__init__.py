"""Rows of the data that overlap with the benchmarks that a model is measured by.

`benchmarks` reads questions and tools of benchmarks, `matching` finds what a row has in common with them (`near` and
`toolkeys` are two of its ways, `text` is how texts are compared), and `sorting` goes through the tasks.
"""
