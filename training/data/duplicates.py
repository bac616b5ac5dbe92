"""Reports of duplicate texts, which skew class weights, leak into tests or contradict each other.

Texts are duplicates when their normalised words are equal.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from training.data.dataset import Example, Facet

_MOST_SHOWN = 3

Rows = Mapping[str, Sequence[Example]]
"""The rows of one text by CSV file."""


def find_duplicates(facet: Facet) -> list[str]:
    """Return one sentence per kind of duplicate: within a file, across two files, with different classes."""
    texts = list(_group_repeated(facet))
    found = [_describe(f"repeated in {name}", _repeated(texts, name)) for name in facet.examples]
    for first, second in combinations(facet.examples, 2):
        in_both = [_places(rows, [first, second]) for rows in texts if first in rows and second in rows]
        found.append(_describe(f"in both {first} and {second}", in_both))
    contradictions = [_places_with_classes(rows, facet) for rows in texts if _has_several_classes(rows)]
    found.append(_describe("given different classes", contradictions))
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


def _describe(what: str, places: Sequence[str]) -> str:
    if not places:
        return ""
    more = f"; and {len(places) - _MOST_SHOWN:,} more" if len(places) > _MOST_SHOWN else ""
    return f"{len(places):,} text{'s' * (len(places) > 1)} {what}: {'; '.join(places[:_MOST_SHOWN])}{more}"
