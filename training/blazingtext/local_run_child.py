"""Train the original fastText; local_run.py runs this file in the environment that has it.

Standard input: {"train": "supervised" or "unsupervised", "input": file, "model": file to write, "vectors": file to
write or null, "arguments": fastText's own}. Standard output: {"seconds": of training alone, "words": number of known
words, "version": of the library}.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import fasttext


def main() -> None:
    request = json.load(sys.stdin)
    train = {"supervised": fasttext.train_supervised, "unsupervised": fasttext.train_unsupervised}[request["train"]]
    start = time.perf_counter()
    model = train(request["input"], **request["arguments"])
    seconds = time.perf_counter() - start
    model.save_model(request["model"])
    if request["vectors"]:
        _write_vectors(model, Path(request["vectors"]))
    json.dump({"seconds": seconds, "words": len(model.words), "version": version("fasttext-wheel")}, sys.stdout)


def _write_vectors(model: Any, path: Path) -> None:
    """Write word2vec's text format: numbers of words and dimensions, then one line per word with its numbers."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"{len(model.words)} {model.get_dimension()}\n")
        for word in model.words:
            file.write(f"{word} {' '.join(f'{number:.6g}' for number in model.get_word_vector(word))}\n")


if __name__ == "__main__":
    main()
