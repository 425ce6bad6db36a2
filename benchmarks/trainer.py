"""What SRMLTrainer costs over TRL's SFTTrainer, with the same model, rows and batches.

    python benchmarks/trainer.py [--vocabulary 2048 151936] [--length 1024 4096] [--hidden 128] [--steps 3] [--rounds 1]

For every vocabulary and length a table: seconds per step by the clock and of the processor (user time: other work on
the machine does not show in it), peak memory, trained tokens per second, and each as a ratio to SFTTrainer's. Each
measurement is a process of its own, since a peak is of a whole process. On CUDA the clock and the allocator's peak
count. Half of a row is prompt; of the rest, reasoning is two thirds. At the end, how both grow with length.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time

WAYS = ("trl", "srml", "srml fused", "srml whole head")  # SFTTrainer first: the others are compared with it


def measure(way: str, vocabulary: int, length: int, hidden: int, steps: int) -> dict:
    """One training of `steps` steps and a first one that is not counted: seconds per step, peak memory in MB."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    cuda = torch.cuda.is_available()
    config = Qwen2Config(
        vocab_size=vocabulary, hidden_size=hidden, intermediate_size=2 * hidden, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=length, tie_word_embeddings=True,
    )  # fmt: skip
    torch.manual_seed(0)
    trainer = trainer_of(way, Qwen2ForCausalLM(config), rows(vocabulary, length, steps + 1), steps + 1, cuda)
    before = 0 if cuda else resident()
    clock = stopwatch(cuda)
    trainer.add_callback(clock)
    trainer.train()
    peak = (
        torch.cuda.max_memory_allocated() / 2**20
        if cuda
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    )
    wall, cpu = (sum(values[1:]) / steps for values in zip(*clock.seconds, strict=True))
    return {"wall": wall, "cpu": cpu, "peak": peak, "above": peak - before}


def resident() -> float:
    """The most memory that this process has taken so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def stopwatch(cuda: bool):
    """A callback that takes the time of every step, by the clock and of the processor."""
    import torch
    from transformers import TrainerCallback

    class Stopwatch(TrainerCallback):
        seconds: list[tuple[float, float]] = []

        def now(self):
            if cuda:
                torch.cuda.synchronize()
            return time.perf_counter(), time.process_time()

        def on_step_begin(self, *args, **kwargs):
            self.start = self.now()

        def on_step_end(self, *args, **kwargs):
            self.seconds.append(tuple(b - a for a, b in zip(self.start, self.now(), strict=True)))

    return Stopwatch()


def rows(vocabulary: int, length: int, count: int):
    """Labelled rows of random tokens: half prompt, a third reasoning, a sixth result."""
    from datasets import Dataset
    from torch import Generator, randint

    generator = Generator().manual_seed(0)
    ids = randint(2, vocabulary, (count, length), generator=generator).tolist()
    prompt, think = length // 2, length // 3
    segments = [0] * prompt + [1] * think + [2] * (length - prompt - think)
    labels = [[-100] * prompt + row[prompt:] for row in ids]
    return Dataset.from_dict({"input_ids": ids, "labels": labels, "segment_ids": [segments] * count})


def trainer_of(way: str, model, dataset, steps: int, cuda: bool):
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast
    from trl import SFTConfig, SFTTrainer

    from funreason.srml import SRMLConfig, SRMLTrainer

    word_level = Tokenizer(models.WordLevel({"<pad>": 0, "<eos>": 1}, unk_token="<pad>"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=word_level, pad_token="<pad>", eos_token="<eos>")
    common = {
        "output_dir": tempfile.mkdtemp(), "per_device_train_batch_size": 1, "max_steps": steps, "max_length": None,
        "bf16": cuda, "use_cpu": not cuda, "gradient_checkpointing": False, "report_to": [], "save_strategy": "no",
        "disable_tqdm": True, "logging_steps": 1, "dataloader_pin_memory": cuda,
    }  # fmt: skip
    if way == "trl":
        args = SFTConfig(**common, dataset_kwargs={"skip_prepare_dataset": True})
        dataset = dataset.remove_columns("segment_ids")
        return SFTTrainer(model, args, train_dataset=dataset, processing_class=tokenizer)
    options = {
        "srml": {}, "srml fused": {"head": "fused"},  # what it does by itself; TRL's head on labelled positions
        "srml whole head": {"compact_head": False},  # bit for bit TRL's at the token fraction
    }[way]  # fmt: skip
    return SRMLTrainer(model, SRMLConfig(**common, **options), train_dataset=dataset, processing_class=tokenizer)


def in_a_process(*case) -> dict:
    command = [sys.executable, __file__, "--one", *map(str, case)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    return json.loads(done.stdout.splitlines()[-1])


def table(vocabulary: int, length: int, results: dict[str, dict], key: str) -> None:
    base = results[WAYS[0]]
    print(f"\nvocabulary {vocabulary:,}, {length:,} tokens per step")
    widths = {"s (clock)": 12, "s (cpu)": 12, "ratio": 8, "peak MB": 10, "above start": 13, "peak ratio": 11}
    columns = widths | {"tokens/s": 10}
    print(" " * 16 + "".join(f"{name:>{width}}" for name, width in columns.items()))
    for way, result in results.items():
        times = f"{result['wall']:12.2f}{result['cpu']:12.2f}{result[key] / base[key]:8.2f}"
        memory = f"{result['peak']:10.0f}{result['above']:13.0f}{result['peak'] / base['peak']:11.2f}"
        print(f"{way:16}{times}{memory}{length / result[key]:10.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocabulary", type=int, nargs="+", default=[2048, 151_936])
    parser.add_argument("--length", type=int, nargs="+", default=[1024, 4096])
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=1, help="the fastest of the rounds counts")
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        way, *numbers = options.one
        print(json.dumps(measure(way, *map(int, numbers))))
        return
    import torch

    key, grown = "wall" if torch.cuda.is_available() else "cpu", {}
    for vocabulary in options.vocabulary:
        for length in options.length:
            rounds = [
                {way: in_a_process(way, vocabulary, length, options.hidden, options.steps) for way in options.ways}
                for _ in range(options.rounds)
            ]
            fastest = {
                way: min((results[way] for results in rounds), key=lambda result: result[key]) for way in options.ways
            }
            table(vocabulary, length, fastest, key)
            grown[vocabulary, length] = fastest
    short, long = min(options.length), max(options.length)
    for vocabulary in options.vocabulary if short < long else []:
        print(f"\nvocabulary {vocabulary:,}: from {short:,} to {long:,} tokens")
        for way in options.ways:
            a, b = grown[vocabulary, short][way], grown[vocabulary, long][way]
            memory = b["above"] / max(a["above"], 1)
            print(f"{way:16}{b[key] / a[key]:8.2f} × the time{memory:8.2f} × the memory above start")


if __name__ == "__main__":
    main()
