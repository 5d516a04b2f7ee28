"""Make `docs/images/grade.svg` out of what `grader grade` prints for the sample class: python docs/picture.py"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
COMMAND = "grader grade examples/class -a normalization --seed 7"
WIDTH = 112
# The rest of the summary is a second picture's worth.
UNTIL = "Share of the points lost"


def main() -> None:
    """Run the command, draw what it printed, write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        grader, *arguments = COMMAND.split()
        ran = subprocess.run(
            [Path(sys.executable).with_name(grader), *arguments, "--gradebook", f"{folder}/gradebook.db"],
            cwd=ROOT,
            env={**os.environ, "COLUMNS": str(WIDTH), "FORCE_COLOR": "1"},
            capture_output=True,
            text=True,
        )
    if ran.returncode:
        sys.exit(ran.stderr)
    target = ROOT / "docs" / "images" / "grade.svg"
    target.parent.mkdir(exist_ok=True)
    target.write_text(draw(ran.stdout))
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1000:.0f} kB")


def draw(printed: str) -> str:
    """The terminal's text, with its colors, as SVG."""
    lines = printed.splitlines()
    plain = [Text.from_ansi(line).plain for line in lines]
    end = next((place for place, line in enumerate(plain) if UNTIL in line), len(lines))
    with open(os.devnull, "w") as nowhere:
        console = Console(
            record=True, width=WIDTH, file=nowhere, force_terminal=True, color_system="truecolor"
        )
        console.print(Text(f"$ {COMMAND}", "bold"))
        console.print(Text.from_ansi("\n".join(lines[:end]).rstrip()))
    svg = console.export_svg(title="grader", unique_id="grade")
    # A reader's own font will do: nothing is fetched to show a picture.
    return (
        "\n".join(line.rstrip() for line in re.sub(r"@font-face \{.*?\}\n", "", svg, flags=re.S).splitlines())
        + "\n"
    )


if __name__ == "__main__":
    main()
