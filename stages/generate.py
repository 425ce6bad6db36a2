"""The sampler of a set writes reasoning and call for every task.

Run as: python stages/generate.py r0
Reads params.yaml, data/tasks.jsonl and the sampler; writes data/<set>/0_generate.jsonl, its ledger and
metrics/<set>/0_generate.json. Killed and run again, it asks only what has no answer yet.
"""

from funreason.stage import run


def main(name: str) -> None:
    from functools import partial

    from funreason.generate import Tally, brings_responses, generate
    from funreason.llm import Client, counting, load_ref
    from funreason.params import load_params
    from funreason.refine.files import STEMS, chosen_set, read_tasks, write_metrics, write_step

    params = load_params()
    sampler = chosen_set(params, name).sampler
    tally, samples = Tally(), params.generate.samples
    sampling = params.generate.model_dump(exclude={"samples"})
    with counting(params.llm) as usage, Client(load_ref(sampler), params.llm, sampling) as client:
        ask = partial(client.run, desc=f"{name} generate")
        outcomes = generate(read_tasks(), ask, samples, brings_responses(sampler))
        write_step(name, STEMS[0], tally.over(outcomes))
    counts = tally.metrics(sum(1 for _ in read_tasks()))
    write_metrics(name, STEMS[0], counts | {"llm": usage.metrics()})


if __name__ == "__main__":
    run(main)
