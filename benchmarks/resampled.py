"""As many rows as a benchmark needs, made of those that are there.

A row takes its words from one text, and every fifth of them from another of the same class: no two are the same, or so
nearly the same that either could be left out, and words are as frequent as they were.
"""

import csv
import random
from collections import defaultdict
from pathlib import Path

from training.data.dataset import CLASSES, TEST, TRAIN

_REPLACED = 0.2


def resample(source: Path, target: Path, rows: int, seed: int = 0) -> None:
    """Write a data folder with `rows` rows in `train.csv`, every class with its share, and the same `test.csv`."""
    target.mkdir(parents=True)
    for name in (CLASSES, TEST):
        (target / name).write_bytes((source / name).read_bytes())
    texts = _read(source / TRAIN)
    chance = random.Random(seed)
    labels = [label for label, of_class in texts.items() for _ in of_class]
    with (target / TRAIN).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for _ in range(rows):
            label = chance.choice(labels)
            writer.writerow([label, "", _mix(*chance.choices(texts[label], k=2), chance)])


def _read(path: Path) -> dict[str, list[list[str]]]:
    texts: defaultdict[str, list[list[str]]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for label, *parts in csv.reader(file):
            texts[label].append(" ".join(parts).split())
    return dict(texts)


def _mix(words: list[str], others: list[str], chance: random.Random) -> str:
    return " ".join(chance.choice(others) if chance.random() < _REPLACED else word for word in words)
