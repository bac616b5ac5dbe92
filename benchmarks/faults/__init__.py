"""A laboratory for faults: the whole system as separate processes, with a proxy before everything they talk to."""
