"""distilabel's vLLM backend over given prompts; run by llm_beside.py with the Python of distilabel's environment.

    PYTHON benchmarks/llm_peer.py MODEL_FOLDER PROMPTS.json FOLDER [anew]

PROMPTS.json holds the texts, the arguments of vLLM and the sampling parameters. FOLDER is distilabel's cache: a second
run in it goes on from the first, unless the last argument is `anew`. FOLDER/times then has the rows, the wall-clock and
the CPU seconds of each batch; a first line of zeros means that the model is loaded.
"""

import json
import os
import sys
import time
from pathlib import Path

# As in our engine; distilabel's pipeline has a process per step anyway.
os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")

import vllm
from distilabel.models import vLLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration

OWN = ("dtype", "revision", "tokenizer_revision")  # arguments of vLLM that distilabel passes itself
_Params = vllm.SamplingParams


def sampling_params(logits_processors=None, **rest):
    """distilabel 1.5.3 passes an empty list by a name that vLLM has dropped since."""
    assert not logits_processors
    return _Params(**rest)


class Timed(vLLM):
    """Writes down how long the engine took for a batch."""

    def load(self) -> None:
        super().load()
        _note(0, 0.0, 0.0)

    def generate_outputs(self, inputs, **kwargs):
        vllm.SamplingParams = sampling_params  # only now: vLLM's own modules have the class
        clock, cpu = time.perf_counter(), time.process_time()
        outputs = super().generate_outputs(inputs, **kwargs)
        _note(len(inputs), time.perf_counter() - clock, time.process_time() - cpu)
        return outputs

    def unload(self) -> None:
        """Its way of freeing memory calls what vLLM no longer has; the process ends anyway."""


def _note(*batch) -> None:
    with open(os.environ["PEER_TIMES"], "a") as file:
        print(*batch, file=file, flush=True)


def main() -> None:
    model, prompts, folder, *anew = sys.argv[1:]
    task = json.loads(Path(prompts).read_text())
    os.environ["PEER_TIMES"] = f"{folder}/times"
    sampling = task["sampling"]
    with Pipeline("peer", cache_dir=folder) as pipeline:
        rows = LoadDataFromDicts(data=[{"instruction": text} for text in task["texts"]], batch_size=task["batch"])
        arguments = {"temperature": sampling["temperature"], "top_p": sampling["top_p"]}
        llm = Timed(
            model=model,
            disable_cuda_device_placement=True,  # it asks for an NVIDIA driver, also on a CPU
            dtype=task["engine"]["dtype"],
            extra_kwargs={name: value for name, value in task["engine"].items() if name not in OWN},
            generation_kwargs=arguments | {"max_new_tokens": sampling["max_tokens"]},
        )
        rows >> TextGeneration(llm=llm, input_batch_size=task["batch"])
    result = pipeline.run(use_cache=not anew)
    print(len(result["default"]["train"]))


if __name__ == "__main__":
    main()
