"""Small tokenizers of the model families: their own way of splitting text, their own marks and chat templates.

The templates are the originals, which TRL carries to recognise them. Vocabularies are trained here, a thousandth of the
real size; what decides which characters can share a token is the splitting pattern, which is the family's own.
"""

from pathlib import Path

import trl
from tiny import LINES
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

TEMPLATES = Path(trl.__file__).parent / "chat_templates"
TOY = Path(__file__).parents[2] / "toy" / "models" / "toy-base"
DIGITS = {"qwen": r"\p{N}", "llama": r"\p{N}{1,3}"}
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|DIGITS| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHATML = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
LLAMA = ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
# name → (pattern, special marks with the end of turn last, marks that are tokens and not special)
FAMILIES = {
    "qwen2_5": ("qwen", CHATML, ()),
    "qwen3": ("qwen", CHATML, ("<think>", "</think>")),
    "qwen3_instruct_2507": ("qwen", CHATML, ("<think>", "</think>")),
    "llama3": ("llama", LLAMA, ()),
    "llama3_2": ("llama", LLAMA, ()),
}
# One whose template has no role for the results of calls.
WITHOUT_RESULTS = {"phi3": ("llama", ("<|endoftext|>", "<|end|>"), ())}


def tokenizer_of(family: str) -> PreTrainedTokenizerFast:
    if family == "toy":
        return AutoTokenizer.from_pretrained(TOY)
    digits, special, marks = (FAMILIES | WITHOUT_RESULTS)[family]
    bpe = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(SPLIT.replace("DIGITS", DIGITS[digits])), behavior="isolated")
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=list(special), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )  # fmt: skip
    bpe.train_from_iterator(
        [*LINES, "ok.</think>\n\n[f(", "</think>[f(a='b')]", "then \n\n No tool fits."] * 9, trainer
    )
    bpe.add_tokens([AddedToken(mark, normalized=False) for mark in marks])
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token=special[-1], pad_token=special[0], bos_token=special[0],
        chat_template=(TEMPLATES / f"{family}.jinja").read_text(),
    )  # fmt: skip
