"""Is this machine ready for what params.yaml asks? Looked up before hours are spent: `funreason doctor`.

A check is a function that yields diagnoses: one line each, with a remedy. The checks that need no network and start no
process are `preflight`, which the stage `resolve` runs.
"""
