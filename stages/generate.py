"""The generator of a round writes reasoning and call for every task.

Run as: python stages/generate.py r0
Reads params.yaml, the round's tasks, those of them that are removed, and its generator; writes
data/<round>/0_generate.jsonl, its ledger and metrics/<round>/0_generate.json. Killed and run again, it asks only what
has no answer yet.
"""

import _source  # noqa: F401  (first: the checkout's own source)

from funreason.core.runtime import run


def main(name: str) -> None:
    from functools import partial

    from funreason.config import load_params
    from funreason.core.paths import OVERLAPS, descriptor
    from funreason.ledger.files import read_removed, read_tasks, write_metrics, write_step
    from funreason.llm import Client, counting, load_ref
    from funreason.refine.first_look import FirstLook
    from funreason.refine.generate import GenerateMetrics, generate, refuse_no_tasks

    params = load_params()
    round_params, recipe, metrics = params.round_of(name), params.recipe_of(name), GenerateMetrics()
    tasks = sum(1 for _ in read_tasks(round_params.tasks))
    refuse_no_tasks(name, round_params.tasks, tasks)
    removed = read_removed(OVERLAPS) if params.decontaminate.mode == "remove" else {}
    sampling = params.generate.model_dump(exclude={"watch"}) | {"temperature": recipe.temperature}
    with (
        counting(params.llm) as usage,
        Client(load_ref(descriptor(round_params.generator)), params.llm, sampling) as client,
    ):
        look = FirstLook(f"{round_params.generator!r}", params.generate)
        ask = partial(client.run, desc=f"{name} generate")
        tasks_again, keep_response = read_tasks(round_params.tasks), round_params.recipe == "distill"
        results = generate(tasks_again, ask, recipe.samples, keep_response, recipe.agreement, removed, look)
        write_step(name, "generate", metrics.counting(results))
    write_metrics(name, "generate", metrics.metrics(tasks) | {"llm": usage.metrics()})


if __name__ == "__main__":
    run(main)
