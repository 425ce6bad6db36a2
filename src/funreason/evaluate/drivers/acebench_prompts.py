"""Write ACEBench's own prompts: {"rows": [[language, category, row of the data]]} → a line [system, user] per row.

Run as (inside the sandbox): .venv-acebench/bin/python acebench_prompts.py < request.json > prompts.jsonl
"""

import acebench_stub  # noqa: F401  (must come before evalscope)
from channel import open_channel
from evalscope.benchmarks.acebench.prompts import build_single_turn_prompts

if __name__ == "__main__":
    request, reply = open_channel()
    for language, category, row in request["rows"]:
        reply(build_single_turn_prompts(row, category, language))
