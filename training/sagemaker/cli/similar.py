"""`sagemaker similar`: the past messages nearest to a text."""

import argparse
import json
from pathlib import Path
from typing import Any

from classifier_infra.model.text import clean, normalise
from training.blazingtext.local_run import VECTORS
from training.cli.options import number
from training.sagemaker.cli.options import add_command
from training.sagemaker.cli.vectors import read_texts
from training.sagemaker.errors import JobError, Refused

_SHOWN = 90


def add_similar(commands: Any) -> None:
    command = add_command(commands, "similar", "find the past messages nearest to a text", _similar)
    command.add_argument("vectors", type=Path, metavar="DIR", help="what `vectors` wrote")
    command.add_argument("messages", type=Path, metavar="FILE.jsonl", help='a line a message: {"id": …, "text": …}')
    command.add_argument("text", help="what to look for; of messages with the same words, the last one is shown")
    command.add_argument("--count", type=number(int, 1, 1000), default=5, help="how many (default: %(default)s)")
    command.add_argument("--json", action="store_true", help="print JSON lines: cosine, id, text")


def _similar(options: argparse.Namespace) -> None:
    from training.sagemaker.jobs.word_vectors import Index, read_vectors  # NumPy takes its time

    vectors = read_vectors(options.vectors / VECTORS)
    found = list({words: (message, words) for message, words in read_texts(options.messages)}.values())
    if not found:
        raise Refused([f'{options.messages}: no line is a message with words, {{"id": …, "text": …}}'])
    nearest = Index(vectors, [words for _, words in found]).nearest(normalise(clean(options.text)), options.count)
    if not nearest:
        raise JobError("no word of this text has a vector; ask with other words, or learn from more messages")
    for near in nearest:
        message, _ = found[near.message]
        if options.json:
            document = {"cosine": round(near.cosine, 4), "id": message.id, "text": message.text}
            print(json.dumps(document, ensure_ascii=False))
        else:
            print(f"{near.cosine:.3f}  {message.id}  {' '.join(message.text.split())[:_SHOWN]}")
