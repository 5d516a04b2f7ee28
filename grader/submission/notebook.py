"""Have a notebook made into a module by a short-lived process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from grader.submission.cells import SECONDS
from grader.submission.members import MAX_SOURCE, Unusable, empty, too_big

_ROOT = Path(__file__).resolve().parents[2]
_CHILD = (
    "import sys; sys.path.insert(0, sys.argv[1]); from grader.submission.cells import main; "
    "main(sys.argv[2], int(sys.argv[3]))"
)


def module_source(data: bytes, name: str) -> tuple[bytes, tuple[str, ...]]:
    """The UTF-8 source of the module `name` made of a notebook's bytes, and notes on what was dropped.

    The process may take `cells.SECONDS` of processor time and `cells.MEMORY` bytes; it parses the notebook
    and runs nothing of it.

    Raises:
        Unusable: when it is empty or no notebook, defines nothing, has more than `MAX_SOURCE` bytes of code,
            or exhausts the process that reads it.
    """
    if not data.strip():
        raise empty()
    command = [sys.executable, "-I", "-S", "-c", _CHILD, str(_ROOT), name, str(MAX_SOURCE)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=3 * SECONDS)
        answer = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        raise Unusable("is too large or too deeply nested to be read: hand in a plain .py file") from None
    if "problem" in answer:
        raise Unusable(answer["problem"])
    source = answer["source"].encode()
    if len(source) > MAX_SOURCE:
        raise too_big(len(source), MAX_SOURCE)
    return source, tuple(answer["notes"])
