"""One group of measurements of gpu_check.py, in a process of its own: python gpu_cases.py GROUP [ARGUMENT ...].

Prints a line `ROW {...}` per result. A measurement that raises becomes a row that says so.
"""

import argparse
import copy
import gc
import json
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from datasets import Dataset
from tokenizers import Tokenizer, models
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    PrinterCallback,
    Qwen2Config,
    Qwen2ForCausalLM,
    TrainerCallback,
    logging,
)
from trl import SFTConfig, SFTTrainer
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from funreason.srml import SRMLConfig, SRMLTrainer

CUDA = torch.cuda.is_available()
DEVICE = "cuda" if CUDA else "cpu"
ROOT = Path(__file__).parents[1]
THINK, RESULT = 1, 2
WEIGHT = 0.7  # of the reasoning
VOCABULARY = 151_936  # Qwen2.5's
SHAPES = {
    "0.5B": (896, 4864, 24, 14, 2),
    "1.5B": (1536, 8960, 28, 12, 2),
    "tiny": (256, 512, 2, 4, 2),
    "rehearsal": (64, 128, 2, 2, 1),
}
ROOM_FOR_1_5B = 40e9  # bytes of a GPU; on a smaller one its adapters are trained
FP32, BF16 = 1e-5, 3e-2  # largest relative errors of a gradient


class Machine:
    """What is measured, by the size of the rehearsal or of the real thing."""

    def __init__(self, rehearse: bool):
        self.rehearse = rehearse
        self.vocabulary = 500 if rehearse else VOCABULARY
        self.steps = 2 if rehearse else 4

    def config(self, shape: str, **options) -> dict:
        """The arguments of a configuration of Qwen2's or Llama's form."""
        hidden, inner, layers, heads, kv_heads = SHAPES["rehearsal" if self.rehearse else shape]
        return {
            "vocab_size": self.vocabulary, "hidden_size": hidden, "intermediate_size": inner, "eos_token_id": 1,
            "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": kv_heads,
            "max_position_embeddings": 32768, "tie_word_embeddings": True, "bos_token_id": None, "pad_token_id": 0,
        } | options  # fmt: skip

    def model(self, shape: str, **options) -> torch.nn.Module:
        """Random weights in float32, on the device."""
        torch.manual_seed(0)
        with torch.device(DEVICE):
            return Qwen2ForCausalLM(Qwen2Config(**self.config(shape, **options))).float()


def say(case: str, **figures) -> None:
    """Print a row."""
    print("ROW " + json.dumps({"case": case} | figures), flush=True)


def guarded(case: str, measure: Callable[[], None]) -> None:
    """Measure; what it raises becomes a row. Memory is free afterwards."""
    try:
        measure()
    except torch.OutOfMemoryError:
        say(case, result="out of memory")
    except Exception as error:  # the rest of the table counts
        text = " ".join(f"{type(error).__name__}: {error}".split()).replace("|", "/")
        say(case, result=f"failed: {text[:160]}")
    gc.collect()
    if CUDA:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def tokenizer() -> PreTrainedTokenizerFast:
    """One that only pads: rows are token ids."""
    words = Tokenizer(models.WordLevel({"<pad>": 0, "<eos>": 1}, unk_token="<pad>"))
    return PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="<eos>", chat_template="{{ 1 }}"
    )


def rows(count: int, shortest: int, longest: int, vocabulary: int) -> list[dict]:
    """Labelled rows of random tokens: half prompt, then reasoning, which every fifth row lacks, then result."""
    draw, made = random.Random(0), []
    for number in range(count):
        length = draw.randint(shortest, longest)
        prompt, think = length // 2, length // 3 if number % 5 else 0
        ids = [draw.randrange(2, vocabulary) for _ in range(length)]
        segments = [0] * prompt + [THINK] * think + [RESULT] * (length - prompt - think)
        made.append({"input_ids": ids, "segment_ids": segments, "labels": [-100] * prompt + ids[prompt:]})
    return made


def reference(model: torch.nn.Module, examples: list[dict], weights: dict[int, float], by_sample: bool) -> dict:
    """Gradients of the multiscale loss as it is written down: float64, all logits, one row at a time."""
    model = copy.deepcopy(model).double()
    model.set_attn_implementation("eager")
    segments = [torch.tensor(example["segment_ids"][1:], device=DEVICE) for example in examples]
    tokens = {key: sum(int((ids == key).sum()) for ids in segments) for key in weights}
    samples = {key: sum(bool((ids == key).any()) for ids in segments) for key in weights}
    for example, of in zip(examples, segments, strict=True):
        ids = torch.tensor(example["input_ids"], device=DEVICE)
        log_probs = torch.log_softmax(model(input_ids=ids[None], use_cache=False).logits[0, :-1], dim=-1)
        losses = -log_probs.gather(-1, ids[1:, None])[:, 0]
        parts = [
            weight * (losses[of == key].mean() / samples[key] if by_sample else losses[of == key].sum() / tokens[key])
            for key, weight in weights.items()
            if (of == key).any()
        ]
        torch.stack(parts).sum().backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


class Gradients(TrainerCallback):
    """Takes the gradients of the first optimizer step, whole also where they are sharded."""

    def on_pre_optimizer_step(self, args, state, control, model=None, **kwargs):
        self.taken, self.sharded = {}, False
        for name, parameter in model.named_parameters():
            if (grad := parameter.grad) is not None:
                self.sharded |= hasattr(grad, "full_tensor")
                whole = grad.full_tensor() if hasattr(grad, "full_tensor") else grad
                self.taken[name.removeprefix("module.")] = whole.detach().clone()

    def error(self, wanted: dict) -> float:
        """‖taken − wanted‖ / ‖wanted‖ over all parameters."""
        difference = sum(((self.taken[name].double() - grad) ** 2).sum() for name, grad in wanted.items())
        return float((difference / sum((grad**2).sum() for grad in wanted.values())).sqrt())


class Stopwatch(TrainerCallback):
    """When each step ended, by the clock of a device that has nothing left to do."""

    def __init__(self):
        self.at: list[float] = []

    def on_step_end(self, *args, **kwargs):
        if CUDA:
            torch.cuda.synchronize()
        self.at.append(time.perf_counter())


def train(kind: type, model: torch.nn.Module, examples: list[dict], callback: TrainerCallback, **options) -> None:
    """Train with TRL's trainer or ours."""
    common = {
        "output_dir": tempfile.mkdtemp(), "max_grad_norm": 0, "logging_steps": 1, "save_strategy": "no",
        "report_to": [], "disable_tqdm": True, "gradient_checkpointing": False, "bf16": False, "use_cpu": not CUDA,
        "dataloader_pin_memory": CUDA, "max_length": None, "train_sampling_strategy": "sequential",
    }  # fmt: skip
    peft, more = options.pop("peft_config", None), {}
    if kind is SFTTrainer:
        args = SFTConfig(**common | options, dataset_kwargs={"skip_prepare_dataset": True})
        if not args.padding_free:
            more["data_collator"] = DataCollatorForLanguageModeling(0)
        examples = [{name: example[name] for name in ("input_ids", "labels")} for example in examples]
    else:
        args = SRMLConfig(**common | options)
    trainer = kind(
        model, args, train_dataset=Dataset.from_list(examples), processing_class=tokenizer(), peft_config=peft,
        callbacks=[callback], **more,
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    trainer.train()


def machine(_: Machine) -> None:
    """What the figures are of."""
    import transformers
    import trl

    memory = f", {torch.cuda.get_device_properties(0).total_memory / 1e9:.0f} GB" if CUDA else ""
    card = torch.cuda.get_device_name() if CUDA else "no GPU"
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}, TRL {trl.__version__}"
    say(f"{card}{memory}", result=versions)


def exact(sizes: Machine) -> None:
    """Gradients against the reference, in float32 and bfloat16; in bfloat16 beside TRL's own at its own loss."""
    torch.backends.cuda.matmul.allow_tf32 = False
    examples = rows(12, *((5, 20) if sizes.rehearse else (30, 200)), sizes.vocabulary)
    start = sizes.model("tiny")
    weights = {THINK: WEIGHT, RESULT: 1 - WEIGHT}
    by_token = reference(start, examples, weights, by_sample=False)
    three = {"per_device_train_batch_size": 3, "gradient_accumulation_steps": 4}
    one = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 12}

    def check(case: str, bound: float, wanted: dict = by_token, kind: type = SRMLTrainer, **options) -> None:
        def measure() -> None:
            taken = Gradients()
            train(kind, copy.deepcopy(start), examples, taken, max_steps=1, learning_rate=0.0, **options)
            say(case, error=taken.error(wanted), bound=bound)

        guarded(case, measure)

    check("float32, 3 x 4 rows", FP32, **three)
    check(
        "float32, mean per sample", FP32, reference(start, examples, weights, True), segment_reduction="sample", **three
    )
    check("float32, gradient checkpointing, 1 x 12", FP32, gradient_checkpointing=True, **one)
    check("float32, padding-free", FP32, padding_free=True, **three)
    check("float32, TRL's whole head", FP32, compact_head=False, **three)
    check("float32, torch's linear head", FP32, head="linear", **three)
    check("bfloat16, 3 x 4 rows", BF16, bf16=True, **three)
    labelled = [sum(example["segment_ids"][1:].count(key) for example in examples) for key in weights]
    fractions = {key: count / sum(labelled) for key, count in zip(weights, labelled, strict=True)}
    mean = reference(start, examples, fractions, by_sample=False)
    check("bfloat16 at TRL's loss: TRL", BF16, mean, SFTTrainer, bf16=True, **three)
    check("bfloat16 at TRL's loss: SRML", BF16, mean, segment_loss="sft", bf16=True, **three)


def speed(sizes: Machine, shape: str, tokens: str) -> None:
    """Time per optimizer step of two rows, and peak memory, beside TRL's trainer and with liger's layers."""
    length = 48 if sizes.rehearse else int(tokens)
    small = CUDA and torch.cuda.get_device_properties(0).total_memory < ROOM_FOR_1_5B
    adapters = shape == "1.5B" and (small or sizes.rehearse)
    examples = rows(2 * sizes.steps, length, length, sizes.vocabulary)
    common = {
        "per_device_train_batch_size": 1, "gradient_accumulation_steps": 2, "max_steps": sizes.steps, "bf16": CUDA,
        "gradient_checkpointing": length > 4096 or adapters, "learning_rate": 1e-5,
    }  # fmt: skip

    def check(case: str, kind: type, **options) -> None:
        name = f"{case}{', LoRA' * adapters}"

        def measure() -> None:
            watch, model = Stopwatch(), sizes.model(shape)
            train(kind, model, examples, watch, peft_config=lora() if adapters else None, **common | options)
            each = (watch.at[-1] - watch.at[0]) / (len(watch.at) - 1)
            peak = {"peak GB": round(torch.cuda.max_memory_allocated() / 1e9, 2)} if CUDA else {}
            say(name, **{"s per step": each, "tokens per s": 2 * length / each} | peak)

        guarded(name, measure)

    check("TRL", SFTTrainer)
    check("SRML", SRMLTrainer)
    check("SRML, torch's linear head", SRMLTrainer, head="linear")
    if CUDA and installed("liger_kernel"):
        check("SRML, liger's layers", SRMLTrainer, use_liger_kernel=True)
    else:
        missing = "liger-kernel is not installed" if CUDA else "liger's layers need a GPU"
        say("SRML, liger's layers", result=f"skipped: {missing}")


def lora(rank: int = 16):
    """The adapters of `train.lora`, as the stage trains them."""
    from funreason.config import LoraParams
    from funreason.train.adapters import lora_config

    return lora_config(LoraParams(rank=rank, alpha=32, dropout=0.0, quantize=False))


def fsdp2(sizes: Machine) -> None:
    """Gradients of one rank under FSDP2, with the settings of `train.launcher: fsdp2`."""
    from funreason.train.sharding import fsdp_environment, shard_on_cpus

    os.environ.update(fsdp_environment(ROOT / "configs/accelerate/fsdp2.yaml"))
    if not CUDA:
        shard_on_cpus()
    examples = rows(12, *((5, 20) if sizes.rehearse else (30, 200)), sizes.vocabulary)
    start = sizes.model("tiny", tie_word_embeddings=False)
    wanted = reference(start, examples, {THINK: WEIGHT, RESULT: 1 - WEIGHT}, by_sample=False)

    def check(case: str, bound: float, **options) -> None:
        def measure() -> None:
            taken = Gradients()
            shape = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 12}
            train(
                SRMLTrainer, copy.deepcopy(start), examples, taken, max_steps=1, learning_rate=0.0, **shape, **options
            )
            if not taken.sharded:
                raise RuntimeError("accelerate has not sharded the model")
            say(case, error=taken.error(wanted), bound=bound)

        guarded(case, measure)

    check("float32, 1 x 12 rows", FP32)
    check("bfloat16, 1 x 12 rows", BF16, bf16=True)


def qlora(sizes: Machine) -> None:
    """Adapters on frozen weights in 4 bit, as `train.lora.quantize` trains them."""
    if not installed("bitsandbytes"):
        return say("SRML, QLoRA", result="skipped: bitsandbytes is not installed")
    from transformers import AutoModelForCausalLM

    from funreason.config import LoraParams
    from funreason.train.adapters import quantization

    def measure() -> None:
        with tempfile.TemporaryDirectory() as folder:
            sizes.model("1.5B").to(torch.bfloat16).save_pretrained(folder)
            gc.collect()
            if CUDA:
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
            settings = quantization(LoraParams(rank=16, alpha=32, dropout=0.0, quantize=True))
            model = AutoModelForCausalLM.from_pretrained(
                folder, quantization_config=settings, device_map=DEVICE, trust_remote_code=False
            )
        length = 48 if sizes.rehearse else 2048
        watch, examples = Stopwatch(), rows(2 * sizes.steps, length, length, sizes.vocabulary)
        shape = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 2, "max_steps": sizes.steps}
        train(SRMLTrainer, model, examples, watch, peft_config=lora(), bf16=CUDA, gradient_checkpointing=True, **shape)
        each = (watch.at[-1] - watch.at[0]) / (len(watch.at) - 1)
        peak = {"peak GB": round(torch.cuda.max_memory_allocated() / 1e9, 2)} if CUDA else {}
        say("SRML, QLoRA, 1.5B, 2,048 tokens", **{"s per step": each, "tokens per s": 2 * length / each} | peak)

    guarded("SRML, QLoRA", measure)


def vllm(sizes: Machine) -> None:
    """Answers of the pipeline's own engine, with the settings that it takes on this machine."""
    if not installed("vllm"):
        return say("answers", result="skipped: vLLM is not installed")
    guarded("answers of a 0.5B model", lambda: answers(sizes))


def answers(sizes: Machine) -> None:
    """Tokens per second of the pipeline's client, and whether vLLM's own defaults hold."""
    from funreason.config import load_params
    from funreason.llm import Cache, Client, Request, load_ref

    count, tokens = (8, 8) if sizes.rehearse else (512, 256)
    llm = load_params(ROOT / "profiles/toy.yaml").llm.model_copy(
        update={"dtype": "bfloat16" if CUDA else "float32", "max_num_seqs": 256 if CUDA else 8}
    )
    sampling = {"temperature": 1.0, "max_tokens": tokens, "seed": 0}
    with tempfile.TemporaryDirectory() as folder, Cache(f"{folder}/cache") as cache:
        model = f"{folder}/model"
        shutil.copytree(
            ROOT / "toy/models/toy-teacher", model, ignore=shutil.ignore_patterns("*.safetensors", "config.json")
        )
        words = PreTrainedTokenizerFast.from_pretrained(model)
        shape = sizes.config("0.5B", vocab_size=max(sizes.vocabulary, len(words)), eos_token_id=words.eos_token_id)
        LlamaForCausalLM(LlamaConfig(**shape)).to(torch.bfloat16).save_pretrained(model)
        chats = [Request([{"role": "user", "content": f"What is {number} and {number}?"}]) for number in range(count)]
        with Client(load_ref(model), llm, sampling, cache=cache) as client:
            client.run(chats[:1])
            start = time.perf_counter()
            written = sum(response.completion_tokens for response in client.run(chats[1:]))
            seconds = time.perf_counter() - start
            batch = client.engine._engine.vllm_config.scheduler_config.max_num_batched_tokens
    say(
        f"{count} answers of a 0.5B model", **{"tokens per s": written / seconds}, result=f"batches of {batch:,} tokens"
    )


def installed(name: str) -> bool:
    """Whether a package can be imported."""
    import importlib.util

    return importlib.util.find_spec(name) is not None


def main() -> None:
    """Measure the group that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("group", choices=("machine", "exact", "speed", "fsdp2", "qlora", "vllm"))
    parser.add_argument("arguments", nargs="*")
    parser.add_argument("--rehearse", action="store_true")
    options = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    globals()[options.group](Machine(options.rehearse), *options.arguments)


if __name__ == "__main__":
    main()
