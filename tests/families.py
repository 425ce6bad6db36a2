"""Small tokenizers of the model families: their own way of splitting text, their own marks and chat templates.

The templates are the originals, which TRL carries to recognise them; forms.py has the others. Vocabularies are trained
here, a thousandth of the real size; what decides which characters can share a token is the splitting pattern, which is
the family's own.
"""

import json
from pathlib import Path

import trl
from tiny import LINES
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

TEMPLATES = Path(trl.__file__).parent / "chat_templates"
TOY = Path(__file__).parents[1] / "toy" / "models" / "toy-base"
DIGITS = {"qwen": r"\p{N}", "llama": r"\p{N}{1,3}"}
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|DIGITS| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHATML = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
LLAMA = ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
GEMMA = ("<bos>", "<start_of_turn>", "<eos>", "<end_of_turn>")
DEEPSEEK = ("<｜begin▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>")
OUTPUTS = ("<｜tool▁outputs▁begin｜>", "<｜tool▁output▁begin｜>", "<｜tool▁output▁end｜>", "<｜tool▁outputs▁end｜>")
GLM = ("[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>", "<|endoftext|>")
COHERE = ("<BOS_TOKEN>", "<|START_OF_TURN_TOKEN|>", "<|SYSTEM_TOKEN|>", "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>",
          "<|END_OF_TURN_TOKEN|>")  # fmt: skip
PHI = ("<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>")
ROLES = ("<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>")
THINK = ("<think>", "</think>")
CALLS = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
# name → (pattern, special marks with the end of turn last, marks that are tokens and not special)
FAMILIES = {
    "qwen2_5": ("qwen", CHATML, ()),
    "qwen3": ("qwen", CHATML, THINK),
    "qwen3_instruct_2507": ("qwen", CHATML, THINK),
    "llama3": ("llama", LLAMA, ()),
    "llama3_2": ("llama", LLAMA, ()),
}
# One whose template has no role for the results of calls.
WITHOUT_RESULTS = {"phi3": ("llama", ("<|endoftext|>", "<|end|>"), ())}
MORE = {
    "qwen3_5_think": ("qwen", CHATML, (*THINK, *CALLS)),
    "qwen3_5_nothink": ("qwen", CHATML, (*THINK, *CALLS)),
    "qwen3_6": ("qwen", CHATML, (*THINK, *CALLS)),
    "llama3_1": ("llama", LLAMA, ()),
    "phi3_5": ("sentencepiece", PHI, ()),
    "gemma": ("sentencepiece", GEMMA, ()),
    "gemma3": ("sentencepiece", GEMMA, ()),
    "deepseekv3": ("llama", (*OUTPUTS, *DEEPSEEK), THINK),
    "deepseek_r1_distill": ("qwen", (*OUTPUTS, *DEEPSEEK), THINK),
    "glm4moe": ("llama", GLM, (*THINK, *CALLS)),
    "cohere": ("llama", COHERE, ()),
    "nemotron_3_nano": ("llama", CHATML, (*THINK, *CALLS)),
    "lfm2_2_5": ("llama", ("<|startoftext|>", "<|im_start|>", "<|im_end|>"), THINK),
}
# Those whose templates are in forms.py.
WRITTEN_HERE = {
    "qwq": ("qwen", CHATML, (*THINK, *CALLS)),
    "qwen3_thinking_2507": ("qwen", CHATML, (*THINK, *CALLS)),
    "r1_distill_llama": ("llama", (*OUTPUTS, *DEEPSEEK), THINK),
    "deepseek_v3_1": ("llama", (*OUTPUTS, *DEEPSEEK), THINK),
    "llama2": ("sentencepiece", ("<s>", "</s>"), ()),
    "mistral_v0_1": ("sentencepiece", ("<s>", "</s>"), ()),
    "mistral_v0_3": ("sentencepiece", ("<s>", "[INST]", "[/INST]", "</s>"), ()),
    "mistral_nemo": ("llama", ("<s>", "[INST]", "[/INST]", "</s>"), ()),
    "smollm2": ("qwen", CHATML, ()),
    "smollm3": ("llama", CHATML, THINK),
    "hermes": ("llama", ("<|begin_of_text|>", *CHATML[1:]), ("<tool_call>", "</tool_call>")),
    "internlm2": ("sentencepiece", ("<s>", *CHATML[1:]), ()),
    "granite": ("qwen", ROLES, ()),
    "glm4": ("llama", GLM, ()),
    "phi4": ("llama", ("<|endoftext|>", "<|im_start|>", "<|im_sep|>", "<|im_end|>"), ()),
    "zephyr": ("sentencepiece", ("<s>", "<|system|>", "<|user|>", "<|assistant|>", "</s>"), ()),
}
ALL = FAMILIES | WITHOUT_RESULTS | MORE | WRITTEN_HERE


def template_of(family: str) -> str:
    if family in WRITTEN_HERE:
        from forms import FORMS

        return FORMS[family]
    return (TEMPLATES / f"{family}.jinja").read_text()


def tokenizer_of(family: str) -> PreTrainedTokenizerFast:
    if family == "toy":
        return AutoTokenizer.from_pretrained(TOY)
    kind, special, marks = ALL[family]
    bpe = sentencepiece(special) if kind == "sentencepiece" else byte_level(DIGITS[kind], special)
    bpe.add_tokens([AddedToken(mark, normalized=False) for mark in marks])
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token=special[-1], pad_token=special[0], bos_token=special[0],
        chat_template=template_of(family),
    )  # fmt: skip


def byte_level(digits: str, special: tuple[str, ...]) -> Tokenizer:
    bpe = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(SPLIT.replace("DIGITS", digits)), behavior="isolated")
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    trained(bpe, special, pre_tokenizers.ByteLevel.alphabet())
    return bpe


def sentencepiece(special: tuple[str, ...]) -> Tokenizer:
    """As Llama-2's: a blank before each text, blanks as ▁, and characters that it does not know as bytes."""
    bpe = Tokenizer(models.BPE(fuse_unk=True))
    bpe.normalizer = normalizers.Replace(" ", "▁")
    trained(bpe, special, sorted(set("".join(LINES))))
    spec = json.loads(bpe.to_str())
    vocab = spec["model"]["vocab"]
    vocab |= {f"<0x{byte:02X}>": len(vocab) + byte for byte in range(256)}
    spec["model"]["byte_fallback"] = True
    bpe = Tokenizer.from_str(json.dumps(spec))
    bpe.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    bpe.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return bpe


def trained(bpe: Tokenizer, special: tuple[str, ...], alphabet: list[str]) -> None:
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=list(special), initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(
        [*LINES, "ok.</think>\n\n[f(", "</think>[f(a='b')]", "then \n\n No tool fits."] * 9, trainer
    )
