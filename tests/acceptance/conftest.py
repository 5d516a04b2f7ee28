"""dlquiz as a student gets it: a wheel in an environment of its own, far from any checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Installed:
    """The environment, and a folder that stands for a student's home."""

    programs: Path
    home: Path

    def environment(self, **more: str) -> dict[str, str]:
        """What a student's terminal has; nothing of the checkout's."""
        return {
            "PATH": f"{self.programs}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "COLUMNS": "100",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            **more,
        }

    def run(
        self, *words: str | Path, status: int = 0, cwd: Path | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command and check how it ended."""
        __tracebackhide__ = True
        done = subprocess.run(
            [self.programs / words[0], *words[1:]],
            cwd=cwd or self.home,
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == status, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback (most recent call last)" not in done.stdout + done.stderr
        return done


@pytest.fixture(scope="session")
def wheel_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the wheel with its declared dependencies in the locked versions, and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    built = folder / "built"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = built.iterdir()
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    assert uv, "make installs uv beside this Python"
    environment = folder / "environment"
    python = environment / "bin" / "python"
    for words in (
        ["venv", str(environment), "--python", sys.executable],
        [
            *("pip", "install", "--python", str(python), "-c", str(ROOT / "requirements.lock")),
            f"dlquiz[grader] @ {wheel.as_uri()}",
        ],
    ):
        done = subprocess.run([uv, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return environment


@pytest.fixture
def installed(wheel_environment: Path, tmp_path: Path) -> Iterator[Installed]:
    """The installed commands with a fresh home; whatever they leave running is ended."""
    home = tmp_path / "home"
    home.mkdir()
    yield Installed(wheel_environment / "bin", home)
    for process in psutil.process_iter():
        try:
            if process.environ().get("HOME") == str(home):
                process.kill()
        except psutil.Error:
            continue
