"""What a team writes before it has a classifier: lists of words."""

from collections.abc import Mapping

CATEGORY: Mapping[str, str] = {
    "billing": "invoice invoices billing bill billed payment payments charge charged charges refund refunded price "
    "pricing subscription fee fees card discount",
    "technical": "error errors bug crash crashes crashed fail fails failed failing failure issue issues problem outage "
    "down slow login connect connection connectivity sync update install server network software device printer "
    "laptop password configuration integration",
    "general": "question information inquire inquiry interested product products order return exchange shipping job "
    "position vacancy hours thank thanks",
}
PRIORITY: Mapping[str, str] = {
    "high": "urgent urgently immediate immediately asap critical crucial emergency outage down severe promptly",
    "low": "whenever question inquiry inquire information curious wondering general feedback suggestion",
    "normal": "",
}


def classify(words: str, lists: Mapping[str, str], default: str) -> str:
    """Give the label with the most words in a text, or the default where no list has any."""
    tokens = words.split()
    counts = {label: sum(token in known.split() for token in tokens) for label, known in lists.items()}
    best = max(counts, key=lambda label: counts[label])
    return best if counts[best] else default
