"""Score a model's function calls with BFCL's official scorer: the held-out desk queries, and BFCL itself.

Run as: python stages/evaluate_bfcl.py SET (base for the untrained model, else a key of `sets`)
→ metrics/SET/bfcl.json, data/SET/bfcl.jsonl (every answer with its verdict)
"""

from funreason.stage import run

DESK = {"known": "data/desk/known", "new": "data/desk/new"}
OFFICIAL = "bfcl"


def main(set_key: str) -> None:
    from dataclasses import asdict

    from funreason.evaluate import bfcl, sandbox
    from funreason.evaluate.answers import ask, greedy, subject, too_long
    from funreason.llm import Client
    from funreason.params import load_params
    from funreason.records import write_json, write_jsonl

    params = load_params()
    chosen = params.evaluate
    # Both before the model answers: a missing sandbox or scorer should not cost a generation.
    mode = sandbox.resolve(chosen.sandbox)
    official = bfcl.official_prompts(OFFICIAL, chosen.bfcl.categories, chosen.bfcl.limit, mode)
    desk = [prompt for suite, folder in DESK.items() for prompt in bfcl.folder_prompts(suite, folder)]

    with Client(subject(set_key), params.llm, greedy(chosen.desk.max_tokens)) as client:
        responses = ask(client, [prompt.messages for prompt in desk], "desk")
        # The same engine, another length of answer.
        longer = Client(
            subject(set_key), params.llm, greedy(chosen.bfcl.max_tokens), cache=client.cache, engine=client.engine
        )
        responses += ask(longer, [prompt.messages for prompt in official], "bfcl")

    prompts = desk + official
    texts = [bfcl.scored_text(prompt.category, it) for prompt, it in zip(prompts, responses, strict=True)]
    rows = bfcl.score(prompts, texts, DESK | {OFFICIAL: None}, mode)
    write_jsonl(f"data/{set_key}/bfcl.jsonl", (asdict(row) for row in rows))
    write_json(
        f"metrics/{set_key}/bfcl.json",
        {
            "desk": bfcl.desk_metrics({suite: [row for row in rows if row.suite == suite] for suite in DESK}),
            "bfcl": bfcl.official_metrics([row for row in rows if row.suite == OFFICIAL], chosen.bfcl.limit),
            "too_long": sum(map(too_long, responses)),
            "sandbox": mode,
        },
    )


if __name__ == "__main__":
    run(main)
