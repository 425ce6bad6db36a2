"""Score the Python that a model writes by running its tests, sandboxed: pass@1 on desk and HumanEval problems.

Run as: python stages/evaluate_code.py r0 (base for the untrained model)
→ metrics/<set>/code.json, data/<set>/code.jsonl (every solution with its verdict)
"""

from funreason.stage import run


def main(name: str) -> None:
    from dataclasses import asdict

    from funreason.evaluate import code, sandbox
    from funreason.evaluate.answers import ask, greedy, subject, too_long
    from funreason.llm import Client, counting
    from funreason.params import load_params
    from funreason.prompts import code_messages
    from funreason.records import write_json, write_jsonl

    params = load_params()
    chosen = params.evaluate.code
    mode = sandbox.resolve(params.evaluate.sandbox)  # before the model answers: it may refuse
    problems = {benchmark: code.load_problems(benchmark) for benchmark in chosen.benchmarks}

    rows, metrics, unasked = [], {}, 0
    with counting(params.llm) as usage, Client(subject(name), params.llm, greedy(chosen.max_tokens)) as client:
        for benchmark, tasks in problems.items():
            chats = [code_messages(task["prompt"]) for task in tasks]
            responses = ask(client, chats, f"{name} {benchmark}")
            unasked += sum(map(too_long, responses))
            tested = code.test(benchmark, tasks, responses, timeout_s=chosen.timeout_s, mode=mode)
            metrics[benchmark] = code.summary(tested)
            rows += tested

    write_jsonl(f"data/{name}/code.jsonl", map(asdict, rows))
    write_json(f"metrics/{name}/code.json", metrics | {"too_long": unasked, "sandbox": mode, "llm": usage.metrics()})


if __name__ == "__main__":
    run(main)
