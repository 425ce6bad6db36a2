"""Training beside serving over all families of chat templates of the tests: drawn conversations, token by token.

Run as: python benchmarks/parity.py [CONVERSATIONS]   (default: 10,000, shared by the families)
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from families import ALL, tokenizer_of  # noqa: E402

from funreason.serve.drawn import drawn  # noqa: E402
from funreason.serve.parity import Prompt, TemplateServer, compare  # noqa: E402
from funreason.serve.plugin import register  # noqa: E402
from funreason.serve.renderer import rendered  # noqa: E402
from funreason.serve.requests import ChatRequest, plain_arguments  # noqa: E402
from funreason.serve.template import served_template  # noqa: E402

register()


class Renderer:
    """What vLLM's renderer makes of a request, with the plugin."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer

    def prompt(self, request: ChatRequest) -> Prompt:
        ids = rendered(None, self.tokenizer, plain_arguments(request.messages), tools=request.tools)
        return Prompt(self.tokenizer.decode(ids), ids)


def main(conversations: str = "10000") -> None:
    names = [*ALL, "toy"]
    each = -(-int(conversations) // len(names))
    total = {"renderer": [0, 0], "template": [0, 0]}
    for number, name in enumerate(names):
        tokenizer = tokenizer_of(name)
        plain, forged = list(drawn(each - each // 2, number)), list(drawn(each // 2, number, forged=True))
        servers = {"renderer": (Renderer(tokenizer), plain + forged),
                   "template": (TemplateServer(tokenizer, served_template(tokenizer)), plain)}  # fmt: skip
        for kind, (server, pairs) in servers.items():
            rows, requests = zip(*pairs, strict=True)
            parity = compare(rows, tokenizer, server, [tokenizer.eos_token_id], requests)
            total[kind][0] += parity.rows
            total[kind][1] += len(parity.differences)
            first = f"; {parity.differences[0]}" if parity.differences else ""
            print(f"{name:22} {kind:9} {parity.rows} {parity.unusable or ''} {parity.kinds() or ''}{first}", flush=True)
    for kind, (rows, differences) in total.items():
        print(f"{kind}: {rows} conversations of {len(names)} families, {differences} differences")


if __name__ == "__main__":
    main(*sys.argv[1:])
