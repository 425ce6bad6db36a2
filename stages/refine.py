"""One check of FCDR over the rows that the step before let through.

Run as: python stages/refine.py cot r0
Checks, in order: response, query_tool, cot, call, format. Reads params.yaml, models/judge.json and the rows of
the step before; writes data/<set>/<n>_<check>.jsonl, its ledger and metrics/<set>/<n>_<check>.json. Killed and
run again, it asks only what has no answer yet.
"""

from funreason.stage import run


def main(check: str, name: str) -> None:
    from funreason.llm import load_ref
    from funreason.params import load_params
    from funreason.refine import run as refine
    from funreason.refine.files import STEMS, chosen_check, chosen_set, read_samples, write_step
    from funreason.refine.judge import Judge
    from funreason.refine.outcome import counts

    params, chosen = load_params(), chosen_check(check)
    chosen_set(params, name)
    samples = read_samples(name, STEMS[chosen.place - 1])
    with Judge(load_ref("models/judge.json"), params.llm, params.judge) as judge:
        outcomes = refine.run(chosen, samples, judge, params.fcdr)
    write_step(name, chosen.stem, outcomes, counts(outcomes))


if __name__ == "__main__":
    run(main)
