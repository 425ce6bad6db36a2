"""Is this machine ready for what params.yaml asks? Looked up before hours are spent: `funreason doctor`.

A check is a function that yields findings, each one line with its remedy. What needs no network and no process of its
own is `preflight`, which the stage `resolve` runs.
"""
