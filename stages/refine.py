"""One check of FCDR over the rows that the step before let through.

Run as: python stages/refine.py cot r0
Checks, in order: response, query_tool, cot, call, format. Reads params.yaml, models/judge.json and the rows of the
step before; writes data/<set>/<n>_<check>.jsonl, its ledger and metrics/<set>/<n>_<check>.json. Killed and run
again, it asks only what has no answer yet.
"""

from funreason.stage import run


def main(check: str, name: str) -> None:
    from funreason.llm import load_ref
    from funreason.params import load_params
    from funreason.refine import files
    from funreason.refine import run as refine
    from funreason.refine.checks import chosen_check
    from funreason.refine.judge import Judge
    from funreason.refine.outcome import counts

    params, chosen = load_params(), chosen_check(check)
    files.chosen_set(params, name)
    before, stem = files.stems(check)
    samples = files.read_samples(name, before)
    with Judge(load_ref("models/judge.json"), params.llm, params.judge) as judge:
        outcomes = refine.run(chosen, samples, judge, params.fcdr)
    files.write_step(name, stem, outcomes, counts(outcomes))


if __name__ == "__main__":
    run(main)
