"""Score a model's function calls with BFCL's official scorer: held-out toy queries, BFCL, and ACEBench and API-Bank
where they are set.

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
    from funreason.core.jsonio import write_details, write_jsonl
    from funreason.evaluate import acebench_run, api_bank, bfcl, bfcl_memory, bfcl_search, bfcl_turns, toy_suites
    from funreason.evaluate.answers import ask, counted, greedy, model_under_test
    from funreason.evaluate.bfcl_metrics import MEMORY, MULTI_TURN, WEB_SEARCH, asked_once, expand, official_metrics
    from funreason.llm import Client, counting
    from funreason.sandbox import isolation as sandbox

    params, model = load_params(), model_under_test(name)
    evaluate = params.evaluate
    # Before the model answers: a missing sandbox or scorer should not cost a generation.
    mode = sandbox.resolve(evaluate.sandbox)
    version, limit, categories = evaluate.bfcl.version, evaluate.bfcl.limit, expand(evaluate.bfcl.categories)
    toy_folders = toy_suites.suite_folders()
    toy = toy_suites.prompts(toy_folders)
    single = asked_once(categories)
    official = bfcl.official_prompts(OFFICIAL, single, limit, mode, version)
    apis = bfcl_turns.SimulatedApis(version, mode, evaluate.bfcl.tool_role)
    multi = [category for category in categories if category in MULTI_TURN]
    conversations = apis.start(OFFICIAL, multi, limit)
    memories = bfcl_memory.Memories(mode, evaluate.bfcl.tool_role)
    filling = memories.start(OFFICIAL, [category for category in categories if category in MEMORY], limit)
    web = bfcl_search.Web(mode, evaluate.bfcl.tool_role)
    searching = web.start(OFFICIAL, [category for category in categories if category in WEB_SEARCH], limit)
    bank = api_bank.load_items(evaluate.api_bank) if evaluate.api_bank else []
    ace = acebench_run.questions(evaluate.acebench, mode)

    with counting(params.llm) as usage, Client(model, params.llm, greedy(evaluate.toy.max_tokens)) as client:
        toy_responses = ask(client, [prompt.messages for prompt in toy], f"{name} toy")
        # The same engine, with another length of answer.
        sampling = greedy(evaluate.bfcl.max_tokens)
        longer = Client(model, params.llm, sampling, cache=client.cache, engine=client.engine)
        responses = ask(longer, [prompt.messages for prompt in official], f"{name} bfcl")
        conversations = bfcl_turns.run_conversations(longer, conversations, apis, f"{name} bfcl multi-turn")
        remembered = bfcl_memory.run(longer, filling, memories, f"{name} bfcl")
        searched = bfcl_turns.run_conversations(longer, searching, web, f"{name} bfcl web search")
        conversations = [*conversations, *remembered, *searched]
        bank_responses = ask(longer, [item.messages for item in bank], f"{name} api-bank")
        longest = Client(
            model, params.llm, greedy(evaluate.acebench.max_tokens), cache=client.cache, engine=client.engine
        )
        ace_answers = acebench_run.answer(ace, longest, params.llm, name)

    toy_rows, toy_metrics = toy_suites.score(toy, toy_responses, toy_folders, mode)
    official_rows = [
        *bfcl.score(official, responses, {OFFICIAL: None}, mode, version),
        *bfcl_turns.score(conversations, mode, version),
    ]
    bank_rows = api_bank.score(bank, bank_responses)
    ace_rows, ace_metrics = acebench_run.score(ace, ace_answers)
    rows = [*map(asdict, [*toy_rows, *official_rows]), *api_bank.to_rows(bank, bank_rows), *map(asdict, ace_rows)]
    write_jsonl(paths.answers(name, "bfcl"), rows)
    missing = counted([*toy_responses, *responses, *bank_responses, *ace_answers.responses])
    write_details(
        paths.accuracy(name, "bfcl"),
        {
            "toy": toy_metrics,
            "bfcl": official_metrics(official_rows, limit, version),
            "api_bank": api_bank.metrics(bank_rows) if bank else None,
            "acebench": ace_metrics,
            "too_long": missing["too_long"] + sum(map(bfcl_turns.no_room, conversations)),
            "unanswered": missing["unanswered"]
            + sum(map(bfcl_turns.unanswered_once, conversations))
            + ace_answers.unanswered,
            "sandbox": mode,
            "llm": usage.metrics(),
        },
    )


if __name__ == "__main__":
    run(main)
