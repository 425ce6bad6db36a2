"""Score the Python that a model writes by running its tests, sandboxed: pass@1 on desk and HumanEval problems.

Run as: python stages/evaluate_code.py SET (base for the untrained model, else a key of `sets`)
→ metrics/SET/code.json, data/SET/code.jsonl (every solution with its verdict)
"""

from funreason.stage import run


def main(set_key: str) -> None:
    from dataclasses import asdict

    from funreason.evaluate import code, sandbox
    from funreason.evaluate.answers import ask, greedy, subject, too_long
    from funreason.evaluate.code_text import completion
    from funreason.llm import Client
    from funreason.params import load_params
    from funreason.prompts import code_messages
    from funreason.records import write_json, write_jsonl

    params = load_params()
    chosen = params.evaluate.code
    mode = sandbox.resolve(params.evaluate.sandbox)  # before the model answers: it may refuse
    problems = {name: code.load_problems(name) for name in chosen.benchmarks}

    responses, rows = {}, {}
    with Client(subject(set_key), params.llm, greedy(chosen.max_tokens)) as client:
        for name, tasks in problems.items():
            responses[name] = ask(client, [code_messages(task["prompt"]) for task in tasks], name)
    for name, tasks in problems.items():
        texts = [
            completion(it.text, task["prompt"], task["entry_point"])
            for task, it in zip(tasks, responses[name], strict=True)
        ]
        rows[name] = code.score(name, tasks, texts, timeout_s=chosen.timeout_s, mode=mode)

    write_jsonl(f"data/{set_key}/code.jsonl", (asdict(row) for name in rows for row in rows[name]))
    counted = {"too_long": sum(too_long(it) for name in responses for it in responses[name]), "sandbox": mode}
    write_json(f"metrics/{set_key}/code.json", {name: code.summary(rows[name]) for name in rows} | counted)


if __name__ == "__main__":
    run(main)
