"""Train with SRMLTrainer: a tiny random model made on the spot, four rows, five steps, in seconds on a CPU.

Run as: python examples/srml_minimal.py [OUTPUT_FOLDER]
Needs: pip install 'funreason[srml]'. With a model of your own, give SRMLTrainer its folder or hub id instead.
"""

import sys
import tempfile

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from funreason.srml import SRMLConfig, SRMLTrainer

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """One token per byte, and ChatML's marks."""
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(marks + alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(marks)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=marks[2], pad_token=marks[0], chat_template=CHAT_TEMPLATE
    )


def row(city: str) -> dict:
    """A row in TRL's prompt–completion form: the completion is the reasoning and the call."""
    call = f"<think>The user asks for the weather in {city}.</think>\n\n[get_weather(city='{city}')]"
    prompt = [{"role": "user", "content": f"Weather in {city}?"}]
    return {"prompt": prompt, "completion": [{"role": "assistant", "content": call}]}


def main(folder: str) -> None:
    """Train, and print the losses of the reasoning and the result at the first and the last step."""
    tokenizer = tiny_tokenizer()
    config = Qwen2Config(vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
                         num_attention_heads=2, num_key_value_heads=1)  # fmt: skip
    args = SRMLConfig(folder, segment_loss="msl", think_weight=0.7, max_steps=5, logging_steps=1, learning_rate=1e-2,
                      report_to=[], disable_tqdm=True)  # fmt: skip
    rows = [row(city) for city in ("Ghent", "Bern", "Oslo", "Nara")]
    trainer = SRMLTrainer(Qwen2ForCausalLM(config), args, train_dataset=rows, processing_class=tokenizer)
    trainer.train()
    first, *_, last, _ = trainer.state.log_history
    for name in ("think", "result"):
        print(f"{name}: {first[f'loss_{name}']:.2f} → {last[f'loss_{name}']:.2f} nats per token")


if __name__ == "__main__":
    main(sys.argv[1] if sys.argv[1:] else tempfile.mkdtemp())
