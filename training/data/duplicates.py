"""Texts that are there more than once, and where: they make a class heavier, a test too easy, or contradict each other.

Texts are the same when their words are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from training.data.dataset import Example, Facet

# Enough to see what is going on; with more, nobody would read the rest of what a command prints.
_MOST_SHOWN = 3

Rows = Mapping[str, Sequence[Example]]
"""The rows of one text, by the CSV file they are in."""


def find_duplicates(facet: Facet) -> list[str]:
    """Tell in a sentence each which texts are repeated in a file, in two files, given different classes; and where."""
    texts = list(_group_repeated(facet))
    found = [_tell(f"repeated in {name}", _repeated(texts, name)) for name in facet.examples]
    for first, second in combinations(facet.examples, 2):
        in_both = [_places(rows, [first, second]) for rows in texts if first in rows and second in rows]
        found.append(_tell(f"in both {first} and {second}", in_both))
    contradictions = [_places_with_classes(rows, facet) for rows in texts if _has_several_classes(rows)]
    found.append(_tell("given different classes", contradictions))
    return [sentence for sentence in found if sentence]


def _group_repeated(facet: Facet) -> Iterable[Rows]:
    first: dict[str, tuple[str, Example]] = {}
    repeated: dict[str, dict[str, list[Example]]] = {}
    for name, example in _rows(facet):
        if example.words not in first:
            first[example.words] = (name, example)
            continue
        if example.words not in repeated:
            earlier, row = first[example.words]
            repeated[example.words] = {earlier: [row]}
        repeated[example.words].setdefault(name, []).append(example)
    return repeated.values()


def _rows(facet: Facet) -> Iterator[tuple[str, Example]]:
    return ((name, example) for name, examples in facet.examples.items() for example in examples)


def _repeated(texts: Iterable[Rows], name: str) -> list[str]:
    return [_places(rows, [name]) for rows in texts if len(rows.get(name, ())) > 1]


def _has_several_classes(rows: Rows) -> bool:
    return len({example.label for examples in rows.values() for example in examples}) > 1


def _places(rows: Rows, names: Sequence[str]) -> str:
    return ", ".join(f"{name}:{example.line}" for name in names for example in rows[name])


def _places_with_classes(rows: Rows, facet: Facet) -> str:
    return ", ".join(
        f"{name}:{example.line} ({facet.labels[example.label].display})"
        for name, examples in rows.items()
        for example in examples
    )


def _tell(what: str, places: Sequence[str]) -> str:
    if not places:
        return ""
    more = f"; and {len(places) - _MOST_SHOWN:,} more" if len(places) > _MOST_SHOWN else ""
    return f"{len(places):,} text{'s' * (len(places) > 1)} {what}: {'; '.join(places[:_MOST_SHOWN])}{more}"
