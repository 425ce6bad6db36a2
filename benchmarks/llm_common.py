"""What the benchmarks of the client share: prompts, sampling parameters, and vLLM without the client. No command."""

from funreason.config import LlmParams
from funreason.llm import ModelRef, Request
from funreason.llm.engines.vllm import VllmEngine, engine_arguments

SAMPLING = {"temperature": 1.0, "top_p": 1.0, "max_tokens": 64, "seed": 0}
BARE = "vllm.LLM.chat"
Chats = list[list[dict]]  # the messages of each chat
WORDS = "Paris Ghent Turin Lagos Kyoto Quito Oslo Hanoi Cusco Perth".split()


def requests(count: int) -> list[Request]:
    """Prompts of some 100 words that share their first half, as the prompts of a stage do."""
    shared = "You are an expert in composing functions. " * 8
    questions = [f"Order {n} tickets to {WORDS[n % 10]}, then tell what {n} of them cost. " * 4 for n in range(count)]
    return [Request([{"role": "user", "content": shared + question}]) for question in questions]


def one_engine(ref: ModelRef, params: LlmParams):
    """(vLLM as somebody uses it directly, our engine around the same vLLM): nothing but the way in differs."""
    engine = VllmEngine(ref, params)
    from vllm import LLM

    llm = LLM(**engine_arguments(ref, params))
    engine._engine = llm.llm_engine
    return llm, engine


def bare(llm, chats: Chats, samplings: list[dict]) -> list[str]:
    """What a user of vLLM writes; with an empty prefix cache, with which our engine begins too."""
    from vllm import SamplingParams

    llm.reset_prefix_cache()
    params = [SamplingParams(**sampling) for sampling in samplings]
    outputs = llm.chat(chats, params, use_tqdm=False)
    return [output.outputs[0].text for output in outputs]
