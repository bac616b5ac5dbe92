"""Answer one question (JSON on standard input) with the original fastText, in the environment that has it."""

import json
import sys
import tempfile
from pathlib import Path

import fasttext


def train(question):
    """Train on texts, once per set of arguments."""
    return [train_one(question, arguments) for arguments in question["arguments"]]


def train_one(question, arguments):
    """Return the dictionary, the input matrix, and the vectors and sub-words of the given texts and words."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        path.write_text("".join(f"__label__{i % 2} {text}\n" for i, text in enumerate(question["texts"])))
        model = fasttext.train_supervised(str(path), dim=8, epoch=1, thread=1, verbose=0, **arguments)
    words, counts = model.get_words(include_freq=True)
    return {
        "words": words,
        "counts": counts.tolist(),
        "rows": model.get_input_matrix().tolist(),
        "vectors": [model.get_sentence_vector(text).tolist() for text in question["asked"]],
        "subwords": {word: model.get_subwords(word)[1].tolist() for word in question["words"]},
    }


def predict(question):
    """Return all labels of each text with their scores."""
    model = fasttext.load_model(question["model"])
    return [model.f.predict(text + "\n", -1, 0.0, "strict") for text in question["texts"]]


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    answer = {"train": train, "predict": predict}[asked["what"]](asked)
    json.dump(answer, sys.stdout)
