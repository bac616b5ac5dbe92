"""External sort of lines."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from training.data.external_sort import SortedLines


@given(
    texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=20)),
    distinct_keys=st.integers(1, 300),
    most_characters=st.integers(0, 100),
)
def test_lines_are_sorted_by_key_and_none_is_lost(tmp_path_factory, texts, distinct_keys, most_characters):
    keyed = [(hashlib.sha256(bytes([i % distinct_keys % 256])).hexdigest()[:16], text) for i, text in enumerate(texts)]

    with SortedLines(tmp_path_factory.mktemp("sorting"), most_characters) as lines:
        for key, text in keyed:
            lines.put(key, text)
        found = list(lines)

    assert found == [text for _, text in sorted((key, f"{text}\n") for key, text in keyed)]


def test_lines_beyond_the_memory_limit_are_in_unnamed_files(tmp_path):
    with SortedLines(tmp_path, most_characters=0) as lines:
        lines.put("b", "second")
        lines.put("a", "first")

        assert list(tmp_path.iterdir()) == []
        assert list(lines) == ["first\n", "second\n"]
