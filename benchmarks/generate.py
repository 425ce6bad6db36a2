"""How fast our client answers BFCL's prompts, beside one call of vllm.LLM.chat over the same prompts.

    python benchmarks/generate.py toy/models/toy-base [--limit 600] [--rounds 3] [--max-tokens 64]

All single-turn prompts of BFCL v4 (3,641), or every n-th so that --limit remain, greedy, on one engine with the `llm`
block of params.yaml. Ours: the stage's own Client with an empty cache in a folder of its own. Prompts that leave no
room in llm.max_model_len are counted and asked on neither side. In turns, after a round that does not count.
"""

import argparse
import tempfile

from llm_common import BARE, Chats, bare, one_engine
from turns import in_turns, report

from funreason.config import load_params
from funreason.evaluate import bfcl
from funreason.evaluate.answers import ask, greedy
from funreason.evaluate.bfcl_metrics import CATEGORIES
from funreason.llm import Cache, Client, Request, load_ref
from funreason.llm.engines.vllm import VllmEngine
from funreason.sandbox import isolation as sandbox

OURS = "ours, cold cache"


def fitting_chats(engine: VllmEngine, limit: int | None) -> tuple[Chats, int]:
    """(chats that leave room for an answer, number of the others), spread over all categories."""
    prompts = bfcl.official_prompts("bfcl", CATEGORIES, None, sandbox.resolve("auto"))
    chats = [prompt.messages for prompt in prompts[:: max(1, len(prompts) // limit) if limit else 1]][:limit]
    texts = [engine.prompt(Request(messages=chat)) for chat in chats]
    fits = [len(tokens) < engine.params.max_model_len for tokens in engine.chat.encode(texts)]
    return [chat for chat, fit in zip(chats, fits, strict=True) if fit], fits.count(False)


def ours(ref, params, engine: VllmEngine, chats: Chats, sampling: dict) -> list[str]:
    with tempfile.TemporaryDirectory() as folder, Cache(folder) as cache:
        client = Client(ref, params, sampling, cache=cache, engine=engine)
        return [response.text for response in ask(client, chats, "bfcl")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="a model's folder")
    parser.add_argument("--limit", type=int, help="at most so many prompts, 1 or more (default: all)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of both, in turns (default 3)")
    parser.add_argument("--max-tokens", type=int, default=64, help="tokens per answer (default 64)")
    arguments = parser.parse_args()
    ref, params, sampling = load_ref(arguments.model), load_params().llm, greedy(arguments.max_tokens)
    llm, engine = one_engine(ref, params)
    chats, too_long = fitting_chats(engine, arguments.limit)
    texts = {}
    works = {
        BARE: lambda: texts.update({BARE: bare(llm, chats, [sampling] * len(chats))}),
        OURS: lambda: texts.update({OURS: ours(ref, params, engine, chats, sampling)}),
    }
    longer = f"{too_long} more are longer than {params.max_model_len} tokens"
    print(f"{len(chats)} prompts, {longer}; {arguments.rounds} rounds")
    report(in_turns(works, arguments.rounds), OURS, len(chats))
    same = sum(map(str.__eq__, texts[BARE], texts[OURS]))
    print(f"{same} of {len(chats)} answers are the same")  # other batches round differently


if __name__ == "__main__":
    main()
