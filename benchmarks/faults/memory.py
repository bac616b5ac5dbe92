"""What a process holds in memory, as Linux tells it."""

import re
from pathlib import Path


def resident_megabytes(pid: int) -> float:
    """Give the memory that a process of this machine holds (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) / 1024
