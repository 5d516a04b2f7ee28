"""The process that makes a module of a notebook: reading hostile JSON and Python can exhaust memory and time."""

from __future__ import annotations

import json
import resource
import sys
import warnings
from typing import Any

from dlquiz.notebooks.cells import Unusable, convert

MEMORY = 1_000_000_000
SECONDS = 10


def main(name: str, limit: int) -> None:
    """Convert the notebook on standard input, in bounded memory and time, and print the outcome as JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    try:
        module = convert(sys.stdin.buffer.read(), name, limit)
        answer: dict[str, Any] = {"source": module.source, "notes": module.notes}
    except Unusable as problem:
        answer = {"problem": str(problem)}
    print(json.dumps(answer))
