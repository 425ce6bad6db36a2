"""What the parsers cost a server: time per answer of the toy model's length, beside the time that a token takes.

Run as: python benchmarks/serve_overhead.py [TOKENS_PER_SECOND]   (default: 5,000, the toy model on two cores)
The target is 2 % of the server's throughput, for answers that come token by token.
"""

import sys
import time
from statistics import median

from funreason.serve.answers import ContentStream, ReasoningStream, read_answer, split_reasoning

ANSWER = (
    "<think>\n"
    + "The user asks for two things, so I call both functions, each with its own value. " * 8
    + "\n</think>\n\n"
    "[transfer_money(amount=94.4, contact='Hugo Garcia'), filter_catalog(filters={'kind': ['a', 'b'], 'price': 3.5})]"
)
CHARACTERS = 4  # of a token
ROUNDS = 300


def streamed(parts: list[str]) -> int:
    reasoning, content = ReasoningStream(), ContentStream()
    for part in parts:
        _, rest = reasoning.feed(part)
        if rest:
            content.feed(rest)
    _, rest = reasoning.finish()
    return len(content.finish()[1])


def whole(text: str) -> int:
    return len(read_answer(split_reasoning(text)[1])[1])


def seconds(run, *arguments) -> float:
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        assert run(*arguments) == 2
        taken.append(time.perf_counter() - start)
    return median(taken)


def main(tokens_per_second: float = 5000) -> None:
    parts = [ANSWER[at : at + CHARACTERS] for at in range(0, len(ANSWER), CHARACTERS)]
    generation = len(parts) / float(tokens_per_second)
    for name, taken in (("whole", seconds(whole, ANSWER)), ("streamed", seconds(streamed, parts))):
        share = 100 * taken / generation
        print(f"{name}: {1e6 * taken:.0f} µs for an answer of {len(parts)} tokens, {share:.2f} % of its generation")


if __name__ == "__main__":
    main(*sys.argv[1:])
