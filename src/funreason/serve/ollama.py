"""A Modelfile for Ollama: the chat template of a model in Go's template language, checked by writing it out here.

Ollama renders JSON in its own way, so that its `tools` would not be what the model was trained on: the calling prompt
goes into the system message, as `funreason.serve.conversation.training_chat` makes it.
"""

import json
import re
from typing import TYPE_CHECKING

from funreason.core.errors import ModelError
from funreason.srml.template import REFUSALS, ChatTemplate, Message, unmarked

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_ROLES = ("system", "user", "assistant", "tool")
_MARKS = {role: f"the text of {role}" for role in _ROLES}


def modelfile(tokenizer: "PreTrainedTokenizerBase", weights: str) -> str:
    """The text of a Modelfile.

    Args:
        tokenizer: The model's.
        weights: The file of the weights (GGUF), or the folder of the model.

    Raises:
        ModelError: The model's chat template treats messages by their place in the chat, which Go's form cannot.
    """
    begin, turns, prompt = parts(tokenizer)
    branches = "".join(
        f'{{{{ {"if" if at == 0 else "else if"} eq .Role "{role}" }}}}{before}{{{{ .Content }}}}{after}'
        for at, (role, (before, after)) in enumerate(turns.items())
    )
    template = f"{begin}{{{{ range .Messages }}}}{branches}{{{{ end }}}}{{{{ end }}}}{prompt}"
    stops = list(dict.fromkeys([ChatTemplate.of(tokenizer).end_of_turn, str(tokenizer.eos_token or "")]))
    lines = [f"PARAMETER stop {json.dumps(stop, ensure_ascii=False)}" for stop in stops if stop]
    return "\n".join([f"FROM {weights}", f'TEMPLATE """{template}"""', *lines, "PARAMETER temperature 0", ""])


def parts(tokenizer: "PreTrainedTokenizerBase") -> tuple[str, dict[str, tuple[str, str]], str]:
    """What a chat template writes: at the beginning, around each role's text, and to begin the answer.

    Raises:
        ModelError: It does not write the same around each message of a role.
    """
    template = ChatTemplate.of(tokenizer)
    roles = [role for role in _ROLES if role != "tool" or template.shows_tool_results]
    chat = [{"role": role, "content": _MARKS[role]} for role in roles]
    try:
        whole, closed = (unmarked(template.text(chat, add_generation_prompt=begin)) for begin in (True, False))
        alone = unmarked(template.text(chat[1:2], add_generation_prompt=False))
        pieces = re.split("|".join(map(re.escape, _MARKS.values())), closed)
        begin, turns = _around(pieces, roles, alone)
        if _written(begin, turns, chat) != closed or not whole.startswith(closed):
            raise ValueError("its text is another")
        more = [*chat[:3], chat[1], *chat[2:]]
        if _written(begin, turns, more) != unmarked(template.text(more, add_generation_prompt=False)):
            raise ValueError("a second turn is written otherwise")
    except (*REFUSALS, ValueError) as error:
        remedy = "use vLLM, or llama.cpp with `llama.cpp.jinja` of the export"
        raise ModelError(f"the chat template has no form for Ollama ({error}); {remedy}") from None
    return begin, turns, whole[len(closed) :]


def _around(pieces: list[str], roles: list[str], alone: str) -> tuple[str, dict[str, tuple[str, str]]]:
    """The beginning, and the texts before and after each role's content, from what stands between contents.

    Where a turn ends shows the user's message alone. What a template says in a chat without a system message is left
    out: the calling prompt is one.
    """
    first, _, end = alone.partition(_MARKS["user"])
    turns, before = {}, pieces[0]
    for role, piece in zip(roles, pieces[1:], strict=True):
        inside, mark, after = piece.partition(end) if end else ("", "", piece)
        if mark != end:
            raise ValueError("its turns have no common end")
        turns[role] = (before, inside + end)
        before = after
    begin = first.removesuffix(turns["user"][0])
    if begin == first or not turns["system"][0].startswith(begin):
        begin = ""
    turns["system"] = (turns["system"][0].removeprefix(begin), turns["system"][1])
    return begin, turns


def _written(begin: str, turns: dict[str, tuple[str, str]], chat: list[Message]) -> str:
    return begin + "".join(f"{turns[one['role']][0]}{one['content']}{turns[one['role']][1]}" for one in chat)
