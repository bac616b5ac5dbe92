"""Lines that are sorted on disk."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from training.sorting import SortedLines


@given(
    texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=20)),
    distinct_keys=st.integers(1, 300),
)
def test_lines_come_in_the_order_of_their_keys_and_none_is_lost(tmp_path_factory, texts, distinct_keys):
    keyed = [(hashlib.sha256(bytes([i % distinct_keys % 256])).hexdigest()[:16], text) for i, text in enumerate(texts)]

    with SortedLines(tmp_path_factory.mktemp("sorting") / "lines") as lines:
        for key, text in keyed:
            lines.put(key, text)
        found = list(lines)

    assert found == [text for _, text in sorted((key, f"{text}\n") for key, text in keyed)]
