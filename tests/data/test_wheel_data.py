"""An installed wheel has every set, and none of the scripts that made them."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from dlquiz import data

ROOT = Path(__file__).resolve().parents[2]
OFFLINE = [name for name in data.names() if data.card(name).source in ("stored", "scikit-learn")]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an unpacked wheel."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    with zipfile.ZipFile(next(out.glob("*.whl"))) as wheel:
        wheel.extractall(out / "site")
    return out / "site"


def test_the_wheel_holds_cards_and_files_and_no_script(unpacked: Path) -> None:
    packed = unpacked / "dlquiz" / "_datasets"
    files = {
        file.relative_to(packed).as_posix(): file.read_bytes() for file in packed.rglob("*") if file.is_file()
    }
    names = ["README.md"]
    for name in data.names():
        names += [f"{name}/card.toml", *([f"{name}/{data.card(name).file}"] if data.card(name).file else [])]
    assert files == {name: (ROOT / "datasets" / name).read_bytes() for name in names}
    assert sum(map(len, files.values())) < 10_000_000


def test_every_set_loads_from_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(unpacked)!r})\nimport json, dlquiz\nfrom dlquiz import data\n"
        "from grader.datasets import hold_out\n"
        f"found = {{name: len(data.load(name)) for name in {OFFLINE}}}\n"
        "print(json.dumps([dlquiz.__file__, data.names(), found, len(hold_out('sine', 1).test)]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    where, names, found, drawn = json.loads(ran.stdout)
    assert Path(where).is_relative_to(unpacked)
    assert tuple(names) == data.names()
    assert found == {name: data.card(name).rows for name in OFFLINE}
    assert drawn == data.card("sine").rows
