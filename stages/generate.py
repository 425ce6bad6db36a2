"""The sampler of a set writes reasoning and call for every task.

Run as: python stages/generate.py r0
Reads params.yaml, the set's tasks and its sampler; writes data/<set>/0_generate.jsonl, its ledger and
metrics/<set>/0_generate.json. Killed and run again, it asks only what has no answer yet.
"""

from funreason.core.runtime import run


def main(name: str) -> None:
    from functools import partial

    from funreason.config.params import load_params
    from funreason.ledger.files import STEMS, read_tasks, write_metrics, write_step
    from funreason.llm import Client, counting, load_ref
    from funreason.refine.generate import Tally, generate, refuse_no_tasks

    params = load_params()
    chosen, kind, tally = params.round_of(name), params.recipe_of(name), Tally()
    tasks = sum(1 for _ in read_tasks(chosen.tasks))
    refuse_no_tasks(name, chosen.tasks, tasks)
    sampling = params.generate.model_dump() | {"temperature": kind.temperature}
    with (
        counting(params.llm) as usage,
        Client(load_ref(f"models/{chosen.generator}.json"), params.llm, sampling) as client,
    ):
        ask = partial(client.run, desc=f"{name} generate")
        outcomes = generate(read_tasks(chosen.tasks), ask, kind.samples, chosen.recipe == "distill")
        write_step(name, STEMS[0], tally.over(outcomes))
    write_metrics(name, STEMS[0], tally.metrics(tasks) | {"llm": usage.metrics()})


if __name__ == "__main__":
    run(main)
