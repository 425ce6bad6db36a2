"""Control tokens and texts: what a row says never becomes a turn, whatever it spells.

`<|im_end|><|im_start|>system` in a query is text, and the model must see text. A chat template writes its control
tokens into the same string, so that the two have to be told apart before the string is tokenised:

- `protect` puts MARK, a Unicode noncharacter, behind the first character of each control token that a text spells.
  The template then writes its own around it.
- `encode` gives the template's control tokens their ids, takes MARK away, and tokenises the rest as text. It uses a
  copy of the tokenizer in which the control tokens have other names, spelled with noncharacters of the same length:
  what the text spells is then not in the vocabulary, and offsets stay right.

A string without MARK is tokenised as always, by the tokenizer itself.
"""

import json
import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerBase

OPEN, CLOSE = "<think>", "</think>"
# Ends the part that `funreason.serve.template` puts in front of a chat template, for servers alone.
SERVED = "{#- the model's own chat template follows #}{{- '' }}"
MARK = "\ufdd0"
LOST = "\ufffd"  # in the place of a noncharacter that a text has; no text should have one
_NONCHARACTERS = re.compile("[\ufdd0-\ufdef]")
_START, _DIGITS = "\ufdd1", [chr(code) for code in range(0xFDD2, 0xFDF0)]
# Marks that a model writes itself, and tokens of their own in many vocabularies without being special.
_MODEL_MARK = re.compile(r"</?(?:think|tool_call|tool_response|tools?|function_call)>")
_WORDS = ("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>")
_MARKUP = re.compile(r"[<\[]\S+[>\]]")  # by its form; vocabularies also have words and blanks as added tokens


class Controls:
    """The control tokens of a tokenizer: its special tokens, and the marks that its chat template or a model writes.

    Args:
        tokenizer: Of Transformers.

    Attributes:
        special: Text → id of the special tokens, without the marks around reasoning.
        marks: The same of `<think>`, `<tool_call>` and such, where they are one token: a model may write them, a query
            or a result may not.
        words: Marks between turns that are no tokens to the model, such as Llama-2's `[INST]`.
        special_ids: The ids of `special`.
        ids: The ids of both.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase"):
        self.tokenizer = tokenizer
        template = own_template(tokenizer)
        self.special: dict[str, int] = {}
        self.marks: dict[str, int] = {}
        for number, token in tokenizer.added_tokens_decoder.items():
            text = token.content
            if len(text) < 2 or not text.strip():
                continue
            if token.special and text not in (OPEN, CLOSE):
                self.special[text] = number
            elif _MARKUP.fullmatch(text) and (_MODEL_MARK.fullmatch(text) or text in template):
                self.marks[text] = number
        self.special_ids = frozenset(self.special.values())
        self.ids = self.special_ids | frozenset(self.marks.values())
        self._special = _any_of(self.special)
        self._all = _any_of(self.special | self.marks)
        self.words = [word for word in _WORDS if word in template and word not in self.special | self.marks]
        self._words = _any_of(dict.fromkeys(self.words, 0))

    def protect(self, value: Any, role: str = "user") -> Any:
        """Mark the control tokens that the texts of a value spell.

        A model writes the marks around reasoning and calls itself, and a system prompt may tell it to: what
        `assistant` and `system` say keeps them. Where turns stand between words that are no tokens (Llama-2's
        `[INST]`), a zero-width space breaks those that others say.

        Args:
            value: A text, or lists and dicts with texts.
            role: Who says it.

        Returns:
            The value, in which no text spells a control token.
        """
        if isinstance(value, str):
            text = self._protected(value, self._special if role in ("assistant", "system") else self._all)
            return text if role == "assistant" or not self._words else self._words.sub(_broken_word, text)
        if isinstance(value, dict):
            return {key: self.protect(item, role) for key, item in value.items()}
        return [self.protect(item, role) for item in value] if isinstance(value, list) else value

    def first(self, text: str) -> re.Match[str] | None:
        """The first control token that a text spells, which is not protected."""
        return self._all.search(text) if self._all else None

    def encode(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Token ids of a text with protected parts, and the characters of each in the text without MARK."""
        if MARK in text and self.tokenizer.is_fast:
            encoded = self._renamed.encode(self._with_names(text), add_special_tokens=False)
            return encoded.ids, encoded.offsets
        both = self.tokenizer(_broken(text), add_special_tokens=False, return_offsets_mapping=True)
        return both["input_ids"], both["offset_mapping"]

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of texts with protected parts (fast tokenizers encode a list on all cores)."""
        plain = [text if self.tokenizer.is_fast else _broken(text) for text in texts]
        ids = self.tokenizer(plain, add_special_tokens=False)["input_ids"] if plain else []
        for at, text in enumerate(plain):
            if MARK in text:
                ids[at] = self.encode(text)[0]
        return ids

    @cached_property
    def adds_blank(self) -> bool:
        """Whether the tokenizer puts a blank in front of a text."""
        alone, later = self.encode("x")[0], self.encode("\nx")[0]
        return later[-len(alone) :] != alone

    def _protected(self, text: str, pattern: re.Pattern[str] | None) -> str:
        if MARK in text:
            text = text.replace(MARK, LOST)
        # Again, since tokens may overlap in a text.
        while pattern and pattern.search(text):
            text = pattern.sub(lambda found: f"{found[0][0]}{MARK}{found[0][1:]}", text)
        return text

    def _with_names(self, text: str) -> str:
        text = _NONCHARACTERS.sub(lambda found: MARK if found[0] == MARK else LOST, text)
        named = self._all.sub(lambda found: self._names[found[0]], text) if self._all else text
        return named.replace(MARK, "")

    @cached_property
    def _names(self) -> dict[str, str]:
        """A name of noncharacters for each control token, as long as its text; no name begins inside another."""
        counts: dict[int, int] = {}
        names = {}
        for text in self.special | self.marks:
            number = counts[len(text)] = counts.get(len(text), -1) + 1
            digits = ""
            for _ in range(len(text) - 1):
                number, digit = divmod(number, len(_DIGITS))
                digits += _DIGITS[digit]
            names[text] = _START + digits
        return names

    @cached_property
    def _renamed(self) -> "Tokenizer":
        """The tokenizer with other names for its control tokens, with the ids that they have."""
        from tokenizers import Tokenizer

        backend: Any = self.tokenizer
        spec = json.loads(backend.backend_tokenizer.to_str())
        names, model = self._names, spec["model"]
        spec["truncation"] = spec["padding"] = None
        for token in spec["added_tokens"]:
            token["content"] = names.get(token["content"], token["content"])
        if isinstance(model["vocab"], dict):
            model["vocab"] = {names.get(piece, piece): number for piece, number in model["vocab"].items()}
        else:
            model["vocab"] = [[names.get(piece, piece), score] for piece, score in model["vocab"]]
        if model.get("merges"):
            model["merges"] = [merge for merge in model["merges"] if not _touches(merge, names)]
        if model.get("unk_token"):
            model["unk_token"] = names.get(model["unk_token"], model["unk_token"])
        renamed = Tokenizer.from_str(json.dumps(spec))
        moved = [
            text for text, number in (self.special | self.marks).items() if renamed.token_to_id(names[text]) != number
        ]
        if moved:
            raise ValueError(f"tokenizer {self.tokenizer.name_or_path!r}: control tokens {moved[:5]} have no fixed ids")
        return renamed


def own_template(tokenizer: "PreTrainedTokenizerBase") -> str:
    """The model's own chat template, without the part for servers; empty where there is none."""
    return str(tokenizer.chat_template or "").rpartition(SERVED)[2]


def _any_of(texts: dict[str, int]) -> re.Pattern[str] | None:
    longest_first = sorted(texts, key=lambda text: (-len(text), text))
    return re.compile("|".join(map(re.escape, longest_first))) if texts else None


def _touches(merge: Any, names: dict[str, str]) -> bool:
    left, right = merge if isinstance(merge, list) else merge.split(" ", 1)
    return left in names or right in names or left + right in names


def _broken_word(found: re.Match[str]) -> str:
    return f"{found[0][0]}\u200b{found[0][1:]}"


def _broken(text: str) -> str:
    """For tokenizers without a fast form: a zero-width space breaks what would be a control token."""
    return text.replace(MARK, "\u200b")
