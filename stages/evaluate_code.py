"""Run the tests of the Python that a model writes, in the sandbox: pass@1, and pass@k where samples are drawn.

Run as: python stages/evaluate_code.py r0 (base for the untrained model)
→ metrics/<round>/code.json, data/<round>/code.jsonl (every solution with its verdict; sample 0 is the greedy one)
"""

import _source  # noqa: F401  (first: the checkout's own source)

from funreason.core.runtime import run


def main(name: str) -> None:
    from dataclasses import asdict

    from funreason.config import load_params
    from funreason.core import paths
    from funreason.core.jsonio import write_json, write_jsonl
    from funreason.evaluate import code_bench
    from funreason.evaluate.answers import ask, ask_samples, greedy, subject, too_long
    from funreason.llm import Client, counting
    from funreason.prompts import code_messages
    from funreason.sandbox import isolation as sandbox

    params = load_params()
    chosen = params.evaluate.code
    mode = sandbox.resolve(params.evaluate.sandbox)  # before the model answers: it may refuse
    problems = {benchmark: code_bench.load(benchmark, chosen.evalplus_data) for benchmark in chosen.benchmarks}

    limits = {"timeout_s": chosen.timeout_s, "mode": mode}
    rows, metrics, unasked = [], {}, 0
    model = subject(name)
    with counting(params.llm) as usage, Client(model, params.llm, greedy(chosen.max_tokens)) as client:
        sampling = greedy(chosen.max_tokens) | {"temperature": chosen.temperature}
        sampler = Client(model, params.llm, sampling, cache=client.cache, engine=client.engine)
        for benchmark, tasks in problems.items():
            chats = [code_messages(task["prompt"]) for task in tasks]
            responses = ask(client, chats, f"{name} {benchmark}")
            unasked += sum(map(too_long, responses))
            tested, metrics[benchmark] = code_bench.judge(benchmark, tasks, responses, **limits)
            rows += tested
            if chosen.samples:
                drawn = ask_samples(sampler, chats, chosen.samples, f"{name} {benchmark} samples")
                tested, metrics[benchmark]["sampled"] = code_bench.judge_samples(benchmark, tasks, drawn, **limits)
                rows += tested

    write_jsonl(paths.answers(name, "code"), map(asdict, rows))
    write_json(paths.accuracy(name, "code"), metrics | {"too_long": unasked, "sandbox": mode, "llm": usage.metrics()})


if __name__ == "__main__":
    run(main)
