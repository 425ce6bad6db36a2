"""The toy tokenizer: byte-level BPE whose merges cover what is constant in every toy prompt.

Two thirds of a calling prompt are instructions and JSON boilerplate. As single added tokens they cost a tiny model a
few positions instead of hundreds. Words that are values (capitalised) and pairs of digits keep the same tokens wherever
they stand, so that copying a value is copying its tokens; a space before them belongs to the word it follows.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from random import Random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from funreason.calls import to_bfcl
from funreason.prompts import CHECKS, template, tools_text
from funreason.toy.corpus import stream
from funreason.toy.inventory import following_words, value_words
from funreason.toy.slots import KINDS
from funreason.toy.tools import catalog, invented, vocabulary

VOCABULARY = 3584
CORPUS_TEXTS = 4000
WORD_REPEATS = 100
BOILERPLATE_LISTS = 3000
MARK = ""
PIECES = "|".join(
    (
        r"[A-Z](?![a-z])",
        r" ?[A-Z][a-z]+",
        r"[_ ]?[a-z]+(?: (?=[A-Z0-9]))?",  # "in " before "Rome" or "3": the value stands right after its word
        r" ?20\d\d",
        r"[-.: ]?\d{1,2}",  # "-03" of a date, ":30" of a time, ".5" of a number
        r"[^A-Za-z0-9]+?(?=[A-Za-z0-9_]| [a-z]|[-.:]\d|$)",
    )
)
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


def descriptions() -> list[str]:
    """The descriptions of the toy world's parameters, one per kind."""
    return sorted({kind.description for kind in KINDS.values()})


def json_boilerplate() -> list[str]:
    """What stands between names and descriptions in a prompt's list of functions, where it is common."""
    rng, counts = Random(0), Counter[str]()
    slots = re.compile(f'"({"|".join(KINDS)})"')
    for _ in range(BOILERPLATE_LISTS):
        tools = [marked(to_bfcl(tool.xlam())) for tool in (rng.choice(catalog()), invented(rng))]
        counts.update(slots.sub(f'"{MARK}"', tools_text(tools)).split(MARK))
    return sorted(part for part, count in counts.items() if len(part) > 4 and count >= BOILERPLATE_LISTS // 1000)


def marked(function: dict) -> dict:
    """The function with `MARK` for its name and every description."""
    parameters = function["parameters"]
    properties = {slot: {**spec, "description": MARK} for slot, spec in parameters["properties"].items()}
    return {**function, "name": MARK, "description": MARK, "parameters": {**parameters, "properties": properties}}


def train_tokenizer(seed: int) -> PreTrainedTokenizerFast:
    """Trained on the streams of all three roles; deterministic for a seed."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(PIECES), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    constants = [*TAGS, *constant_prompt_texts(), *json_boilerplate(), *descriptions()]
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


def corpus(constants: list[str], seed: int) -> Iterator[str]:
    """Texts of all streams without the constants, which are tokens already, and every value word often enough."""
    known = re.compile("|".join(re.escape(text) for text in sorted(constants, key=len, reverse=True)))
    for role in ("trunk", "teacher", "judge"):
        for messages, reply in islice(stream(role, seed), CORPUS_TEXTS):
            for text in (*(message["content"] for message in messages), reply):
                yield from (part for part in known.split(text) if part)
    for word in whole_words():
        yield from [word] * WORD_REPEATS


def whole_words() -> list[str]:
    """The words that are to be one token each: values, and the verbs and nouns of tools in each of their forms."""
    verbs, nouns = vocabulary()
    forms = [form for verb in verbs for form in (verb, f" {verb}", verb.capitalize())]
    forms += [form for noun in nouns for form in (f" {noun}", f"_{noun}")]
    years = [str(year) for year in range(2000, 2030)]
    return [*value_words(), *(f" {word}" for word in following_words()), *years, *forms]
