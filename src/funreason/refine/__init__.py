"""FCDR, the refinement of function-calling data: five judged checks, then the deterministic last word.

`checks/` holds one module a check, `run` the loop they share, `validate` what needs no judge, `pools` the fates.
"""
