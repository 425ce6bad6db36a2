"""Score a model's function calls by BFCL's official scorer: held-out desk queries, and BFCL itself; API-Bank if given.

Run as: python stages/evaluate_bfcl.py r0 (base for the untrained model)
→ metrics/<set>/bfcl.json, data/<set>/bfcl.jsonl (every answer and conversation with its verdict)
"""

from funreason.stage import run

DESK = {"known": "data/desk/known", "new": "data/desk/new"}
OFFICIAL = "bfcl"


def main(name: str) -> None:
    from dataclasses import asdict

    from funreason.evaluate import api_bank, bfcl, bfcl_turns, sandbox
    from funreason.evaluate.answers import ask, greedy, subject, too_long
    from funreason.evaluate.bfcl_metrics import CATEGORIES, MULTI_TURN, desk_metrics, expand, official_metrics
    from funreason.llm import Client, counting
    from funreason.params import load_params
    from funreason.records import write_json, write_jsonl

    params = load_params()
    chosen, model = params.evaluate, subject(name)
    # Before the model answers: a missing sandbox or scorer should not cost a generation.
    mode = sandbox.resolve(chosen.sandbox)
    version, limit = chosen.bfcl.version, chosen.bfcl.limit
    single, multi = ([it for it in expand(chosen.bfcl.categories) if it in part] for part in (CATEGORIES, MULTI_TURN))
    official = bfcl.official_prompts(OFFICIAL, single, limit, mode, version)
    apis = bfcl_turns.Apis(version, mode, chosen.bfcl.tool_role)
    talks = apis.start(OFFICIAL, multi, limit)
    desk = [prompt for suite, folder in DESK.items() for prompt in bfcl.folder_prompts(suite, folder)]
    bank = api_bank.load_items(chosen.api_bank) if chosen.api_bank else []

    with counting(params.llm) as usage, Client(model, params.llm, greedy(chosen.desk.max_tokens)) as client:
        responses = ask(client, [prompt.messages for prompt in desk], f"{name} desk")
        # The same engine, another length of answer.
        sampling = greedy(chosen.bfcl.max_tokens)
        other = Client(model, params.llm, sampling, cache=client.cache, engine=client.engine)
        responses += ask(other, [prompt.messages for prompt in official], f"{name} bfcl")
        talks = bfcl_turns.converse(other, talks, apis, f"{name} bfcl multi-turn")
        banked = ask(other, [item.messages for item in bank], f"{name} api-bank")

    # The desk suites are in v4's layout.
    known = bfcl.score(desk, responses[: len(desk)], DESK, mode)
    asked = bfcl.score(official, responses[len(desk) :], {OFFICIAL: None}, mode, version)
    asked += bfcl_turns.score(talks, mode, version)
    right = api_bank.score(bank, banked)
    write_jsonl(f"data/{name}/bfcl.jsonl", map(asdict, known + asked + right))
    write_json(
        f"metrics/{name}/bfcl.json",
        {
            "desk": desk_metrics({suite: [row for row in known if row.suite == suite] for suite in DESK}),
            "bfcl": official_metrics(asked, limit, version),
            "api_bank": api_bank.metrics(right) if bank else None,
            "too_long": sum(map(too_long, responses + banked)) + sum(map(bfcl_turns.no_room, talks)),
            "sandbox": mode,
            "llm": usage.metrics(),
        },
    )


if __name__ == "__main__":
    run(main)
