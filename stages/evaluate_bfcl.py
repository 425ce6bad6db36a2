"""Score a model's function calls with BFCL's official scorer: held-out toy queries, BFCL, and API-Bank where it is set.

Run as: python stages/evaluate_bfcl.py r0 (base for the untrained model)
→ metrics/<round>/bfcl.json, data/<round>/bfcl.jsonl (every answer and conversation with its verdict)
"""

import _source  # noqa: F401  (first: the checkout's own source)

from funreason.core.runtime import run

OFFICIAL = "bfcl"


def main(name: str) -> None:
    from dataclasses import asdict

    from funreason.config import load_params
    from funreason.core import paths
    from funreason.core.jsonio import write_json, write_jsonl
    from funreason.evaluate import api_bank, bfcl, bfcl_turns
    from funreason.evaluate.answers import ask, greedy, subject, too_long
    from funreason.evaluate.bfcl_metrics import CATEGORIES, MULTI_TURN, expand, official_metrics, toy_metrics
    from funreason.llm import Client, counting
    from funreason.sandbox import isolation as sandbox

    params = load_params()
    chosen, model = params.evaluate, subject(name)
    # Before the model answers: a missing sandbox or scorer should not cost a generation.
    mode = sandbox.resolve(chosen.sandbox)
    version, limit = chosen.bfcl.version, chosen.bfcl.limit
    single, multi = ([it for it in expand(chosen.bfcl.categories) if it in part] for part in (CATEGORIES, MULTI_TURN))
    official = bfcl.official_prompts(OFFICIAL, single, limit, mode, version)
    apis = bfcl_turns.Apis(version, mode, chosen.bfcl.tool_role)
    talks = apis.start(OFFICIAL, multi, limit)
    toy = [prompt for suite, folder in paths.TOY_SUITES.items() for prompt in bfcl.folder_prompts(suite, folder)]
    bank = api_bank.load_items(chosen.api_bank) if chosen.api_bank else []

    with counting(params.llm) as usage, Client(model, params.llm, greedy(chosen.toy.max_tokens)) as client:
        responses = ask(client, [prompt.messages for prompt in toy], f"{name} toy")
        # The same engine, another length of answer.
        sampling = greedy(chosen.bfcl.max_tokens)
        other = Client(model, params.llm, sampling, cache=client.cache, engine=client.engine)
        responses += ask(other, [prompt.messages for prompt in official], f"{name} bfcl")
        talks = bfcl_turns.converse(other, talks, apis, f"{name} bfcl multi-turn")
        banked = ask(other, [item.messages for item in bank], f"{name} api-bank")

    # The toy suites are in v4's layout.
    known = bfcl.score(toy, responses[: len(toy)], paths.TOY_SUITES, mode)
    asked = bfcl.score(official, responses[len(toy) :], {OFFICIAL: None}, mode, version)
    asked += bfcl_turns.score(talks, mode, version)
    right = api_bank.score(bank, banked)
    write_jsonl(paths.answers(name, "bfcl"), map(asdict, known + asked + right))
    write_json(
        paths.accuracy(name, "bfcl"),
        {
            "toy": toy_metrics({suite: [row for row in known if row.suite == suite] for suite in paths.TOY_SUITES}),
            "bfcl": official_metrics(asked, limit, version),
            "api_bank": api_bank.metrics(right) if bank else None,
            "too_long": sum(map(too_long, responses + banked)) + sum(map(bfcl_turns.no_room, talks)),
            "sandbox": mode,
            "llm": usage.metrics(),
        },
    )


if __name__ == "__main__":
    run(main)
