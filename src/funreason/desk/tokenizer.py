"""The desk tokenizer: byte-level BPE whose merges cover what is constant in every desk prompt.

Two thirds of a calling prompt are instructions and JSON boilerplate. As single added tokens they cost a tiny model a
few positions instead of hundreds. Words that are values (capitalised) and pairs of digits keep the same tokens wherever
they stand, so that copying a value is copying its tokens.
"""

import json
import re
from itertools import islice

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from funreason.desk.corpus import stream
from funreason.desk.inventory import value_words
from funreason.prompts import CHECKS, template

VOCABULARY = 3072
CORPUS_TEXTS = 4000
WORD_REPEATS = 100
PIECES = r"[A-Z](?![a-z])|[A-Z][a-z]*|_?[a-z]+| [a-z]+|\d{1,2}|[^A-Za-z0-9]+?(?=[A-Za-z0-9_]| [a-z]|$)"
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TAGS = [
    "<think>",
    "</think>",
    "<judge>True</judge>",
    "<judge>False</judge>",
    "<NewFC>",
    "</NewFC>",
    "```python\n",
    "system\n",
    "user\n",
    "assistant\n",
]
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def constant_prompt_texts() -> list[str]:
    """The parts of every prompt template between its marks."""
    texts = (template(name) for name in ("calling", *(f"judge_{check}" for check in CHECKS), "code"))
    return sorted({part for text in texts for part in re.split(r"\{\w+\}", text) if len(part) > 3})


def json_boilerplate() -> list[str]:
    """What stands between names, types and descriptions in a list of BFCL functions, as `json.dumps(indent=4)`."""
    two = [
        {
            "name": "@",
            "description": "@",
            "parameters": {
                "type": "dict",
                "properties": {
                    "@": {"type": kind, "description": "@"},
                    "@@": {"type": kind, "description": "@", "default": "@"},
                    "@@@": {"type": kind, "description": "@", "enum": ["@", "@"]},
                },
                "required": ["@", "@"],
            },
        }
        for kind in ("string", "integer", "float", "boolean", "array", "dict")
    ]
    texts = {
        json.dumps(two, indent=4),
        json.dumps(
            [
                {
                    **two[0],
                    "parameters": {
                        **two[0]["parameters"],
                        "properties": {"@": {"type": "string", "description": "@", "default": "@"}},
                    },
                }
            ]
            * 2,
            indent=4,
        ),
    }
    return sorted({part for text in texts for part in re.split("@+", text) if len(part) > 4})


def train_tokenizer(seed: int) -> PreTrainedTokenizerFast:
    """Trained on the streams of all three roles; deterministic for a seed."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(PIECES), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    constants = [*TAGS, *constant_prompt_texts(), *json_boilerplate()]
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in constants])
    size = VOCABULARY - len(constants)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=SPECIAL,
        min_frequency=3,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(corpus(constants, seed), trainer)
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in constants])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
        model_max_length=4096,
    )


def corpus(constants: list[str], seed: int):
    """Texts of all streams without the constants, which are tokens already, and every value word often enough."""
    known = re.compile("|".join(re.escape(text) for text in sorted(constants, key=len, reverse=True)))
    for role in ("trunk", "teacher", "judge"):
        for messages, reply in islice(stream(role, seed), CORPUS_TEXTS):
            for text in (*(message["content"] for message in messages), reply):
                yield from (part for part in known.split(text) if part)
    for word in value_words():
        yield from [word] * WORD_REPEATS
