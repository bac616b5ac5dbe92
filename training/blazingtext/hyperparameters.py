"""BlazingText's hyperparameters: names, types, legal values and defaults.

As documented by AWS for text classification (`supervised`) and word vectors (`skipgram`, `cbow`, `batch_skipgram`). A
training job takes them as strings, and rejects unknown ones only after its machine has started.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

SUPERVISED = "supervised"
VECTOR_MODES = ("skipgram", "cbow", "batch_skipgram")

Value = bool | int | float


class HyperparameterError(ValueError):
    """Hyperparameters that a job would reject; `faults` lists every fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Rule:
    """A hyperparameter's default and legal values: `legal` describes them, `parse` raises ValueError for others."""

    legal: str
    parse: Callable[[str], Value]
    default: Value


def _whole(least: int, default: int) -> Rule:
    return Rule(f"a whole number of at least {least}", lambda text: _at_least(int(text), least), default)


def _fraction(default: float) -> Rule:
    return Rule("a number above 0", lambda text: _above_zero(float(text)), default)


def _truth(default: bool) -> Rule:
    return Rule("True or False", lambda text: {"True": True, "False": False}[text], default)


def _at_least(value: int, least: int) -> int:
    if value < least:
        raise ValueError
    return value


def _above_zero(value: float) -> float:
    if not 0 < value < float("inf"):
        raise ValueError
    return value


_COMMON = {
    "buckets": _whole(1, 2_000_000),
    "epochs": _whole(1, 5),
    "learning_rate": _fraction(0.05),
    "min_count": _whole(0, 5),
    "vector_dim": _whole(1, 100),
}
_SUPERVISED = _COMMON | {
    "early_stopping": _truth(False),
    "min_epochs": _whole(1, 5),
    "patience": _whole(1, 4),
    "word_ngrams": _whole(1, 2),
}
_VECTORS = _COMMON | {
    "evaluation": _truth(True),
    "max_char": _whole(1, 6),
    "min_char": _whole(1, 3),
    "negative_samples": _whole(1, 5),
    "sampling_threshold": _fraction(0.0001),
    "subwords": _truth(False),
    "window_size": _whole(1, 5),
}
RULES: Mapping[str, Mapping[str, Rule]] = {
    SUPERVISED: _SUPERVISED,
    "skipgram": _VECTORS,
    "cbow": _VECTORS,
    "batch_skipgram": _VECTORS | {"batch_size": _whole(1, 11)},
}


def resolve(mode: str, given: Mapping[str, str]) -> dict[str, Value]:
    """Return all hyperparameters of a mode, the given values and the defaults of the others.

    Raises HyperparameterError with every fault: an unknown mode or name, an illegal value.
    """
    if mode not in RULES:
        raise HyperparameterError([f"mode={mode!r}: choose one of {', '.join(RULES)}"])
    rules = RULES[mode]
    faults = [fault for name, text in given.items() for fault in _check(name, text, rules)]
    if faults:
        raise HyperparameterError(faults)
    values = {name: rule.parse(given[name]) if name in given else rule.default for name, rule in rules.items()}
    if values.get("min_char", 0) > values.get("max_char", 0):
        raise HyperparameterError([f"min_char={values['min_char']}: more than max_char={values['max_char']}"])
    return values


def _check(name: str, text: str, rules: Mapping[str, Rule]) -> Iterator[str]:
    if name not in rules:
        near = difflib.get_close_matches(name, rules, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(sorted(rules))}"
        yield f"{name}: not a hyperparameter of BlazingText in this mode; {hint}"
        return
    try:
        if not text.isascii() or set(text) & {" ", "_"}:  # Python accepts "1_000" and " 5", a job may not
            raise ValueError
        rules[name].parse(text)
    except (ValueError, KeyError):
        yield f"{name}={text}: write {rules[name].legal}"


def as_strings(mode: str, values: Mapping[str, Value]) -> dict[str, str]:
    """Return the hyperparameters as the strings of a training job's request."""
    return {"mode": mode} | {name: str(value) for name, value in values.items()}


def estimate_bytes(values: Mapping[str, Value], words: int) -> int:
    """Estimate the bytes of `model.bin`: one float32 row per word and bucket, without the labels' few rows."""
    # fastText allocates no buckets if it hashes nothing.
    hashes = values.get("word_ngrams", 1) > 1 or bool(values.get("subwords", False))
    return int(4 * values["vector_dim"] * (words + (values["buckets"] if hashes else 0)))
