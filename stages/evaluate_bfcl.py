"""Score a model's function calls with BFCL's official scorer: the held-out desk queries, and BFCL itself.

Run as: python stages/evaluate_bfcl.py r0 (base for the untrained model)
→ metrics/<set>/bfcl.json, data/<set>/bfcl.jsonl (every answer with its verdict)
"""

from funreason.stage import run

DESK = {"known": "data/desk/known", "new": "data/desk/new"}
OFFICIAL = "bfcl"


def main(name: str) -> None:
    from dataclasses import asdict

    from funreason.evaluate import bfcl, sandbox
    from funreason.evaluate.answers import ask, greedy, subject, too_long
    from funreason.llm import Client, counting
    from funreason.params import load_params
    from funreason.records import write_json, write_jsonl

    params = load_params()
    chosen, model = params.evaluate, subject(name)
    # Before the model answers: a missing sandbox or scorer should not cost a generation.
    mode = sandbox.resolve(chosen.sandbox)
    official = bfcl.official_prompts(OFFICIAL, chosen.bfcl.categories, chosen.bfcl.limit, mode)
    desk = [prompt for suite, folder in DESK.items() for prompt in bfcl.folder_prompts(suite, folder)]

    with counting(params.llm) as usage, Client(model, params.llm, greedy(chosen.desk.max_tokens)) as client:
        responses = ask(client, [prompt.messages for prompt in desk], f"{name} desk")
        # The same engine, another length of answer.
        sampling = greedy(chosen.bfcl.max_tokens)
        other = Client(model, params.llm, sampling, cache=client.cache, engine=client.engine)
        responses += ask(other, [prompt.messages for prompt in official], f"{name} bfcl")

    rows = bfcl.score(desk + official, responses, DESK | {OFFICIAL: None}, mode)
    by_suite = {suite: [row for row in rows if row.suite == suite] for suite in (*DESK, OFFICIAL)}
    write_jsonl(f"data/{name}/bfcl.jsonl", map(asdict, rows))
    write_json(
        f"metrics/{name}/bfcl.json",
        {
            "desk": bfcl.desk_metrics({suite: by_suite[suite] for suite in DESK}),
            "bfcl": bfcl.official_metrics(by_suite[OFFICIAL], chosen.bfcl.limit),
            "too_long": sum(map(too_long, responses)),
            "sandbox": mode,
            "llm": usage.metrics(),
        },
    )


if __name__ == "__main__":
    run(main)
