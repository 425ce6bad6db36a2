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
    from funreason.core.jsonio import write_details, write_jsonl
    from funreason.evaluate import code_bench
    from funreason.evaluate.answers import ask, ask_samples, counted, greedy, model_under_test
    from funreason.llm import Client, counting
    from funreason.prompts import code_messages
    from funreason.sandbox import isolation as sandbox

    params = load_params()
    code = params.evaluate.code
    mode = sandbox.resolve(params.evaluate.sandbox)  # before the model answers, since it may refuse
    problems = {benchmark: code_bench.load(benchmark, code.evalplus_data) for benchmark in code.benchmarks}

    limits = {"timeout_s": code.timeout_s, "mode": mode}
    rows, metrics, greedy_answers = [], {}, []
    model = model_under_test(name)
    with counting(params.llm) as usage, Client(model, params.llm, greedy(code.max_tokens)) as client:
        sampling = greedy(code.max_tokens) | {"temperature": code.temperature}
        drawing = Client(model, params.llm, sampling, cache=client.cache, engine=client.engine)
        for benchmark, every in problems.items():
            tasks = every[: code.limit]
            chats = [code_messages(task["prompt"]) for task in tasks]
            responses = ask(client, chats, f"{name} {benchmark}")
            greedy_answers += responses
            tested, metrics[benchmark] = code_bench.score_answers(benchmark, tasks, responses, **limits)
            rows += tested
            if code.samples:
                drawn = ask_samples(drawing, chats, code.samples, f"{name} {benchmark} samples")
                tested, metrics[benchmark]["sampled"] = code_bench.score_samples(benchmark, tasks, drawn, **limits)
                rows += tested
            metrics[benchmark] = code_bench.mark_partial(metrics[benchmark], len(tasks) < len(every))

    write_jsonl(paths.answers(name, "code"), map(asdict, rows))
    totals = counted(greedy_answers) | {"sandbox": mode, "llm": usage.metrics()}
    write_details(paths.accuracy(name, "code"), metrics | totals)


if __name__ == "__main__":
    run(main)
