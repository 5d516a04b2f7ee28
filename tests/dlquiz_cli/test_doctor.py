"""`dlquiz doctor`: what it finds, and the way out of each fault."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import Result

from dlquiz import doctor

FINE = {
    "tensorflow": "2.21.0",
    "keras": "3.15.1",
    "backend": "tensorflow",
    "cuda": True,
    "gpus": [["H100", [9, 0]]],
}
IDLE = {**FINE, "gpus": []}


def test_this_machine_is_examined_line_by_line(dlquiz: Callable[..., Result]) -> None:
    result = dlquiz("doctor", "--json", "told.json")
    told = json.loads(Path("told.json").read_text())["findings"]
    assert [finding["what"] for finding in told] == [
        "Python",
        "packages",
        "memory",
        "disk",
        "TensorFlow",
        "Keras",
        "GPU",
        "mixed precision",
        "warm helper",
    ]
    assert f"TensorFlow: {metadata.version('tensorflow')}" in result.output
    assert result.exit_code == any(finding["ok"] is False for finding in told)


@pytest.mark.parametrize(
    ("looked", "said", "card", "environment", "system", "ok", "found", "fix"),
    [
        (FINE, "", True, {}, "Linux", True, "H100", ""),
        (IDLE, "", False, {}, "Linux", None, "none is needed: no driver", ""),
        (IDLE, "", False, {}, "Darwin", None, "none on macOS", ""),
        (
            IDLE,
            "",
            True,
            {"CUDA_VISIBLE_DEVICES": "-1"},
            "Linux",
            False,
            "hidden by",
            "unset CUDA_VISIBLE_DEVICES",
        ),
        (IDLE, "", True, {}, "Windows", False, "no GPU support on Windows", "WSL 2"),
        ({**IDLE, "cuda": False}, "", True, {}, "Linux", False, "built without CUDA", "tensorflow[and-cuda]"),
        (IDLE, "Cannot dlopen some GPU libraries", True, {}, "Linux", False, "CUDA libraries", "dlquiz[gpu]"),
        (IDLE, "", True, {}, "Linux", False, "TensorFlow does not use it", "dlquiz[gpu]"),
        ({"error": "no"}, "", True, {}, "Linux", None, "could not be asked", ""),
    ],
)
def test_a_gpu_that_lies_idle_is_explained(
    looked: dict[str, object],
    said: str,
    card: bool,
    environment: dict[str, str],
    system: str,
    ok: bool | None,
    found: str,
    fix: str,
) -> None:
    finding = doctor.gpu(looked, said, card, "no driver", environment, system)
    assert finding.ok is ok
    assert found in finding.found
    assert fix in finding.fix


@pytest.mark.parametrize(
    ("capability", "advice"),
    [
        ([9, 0], "mixed_bfloat16"),
        ([7, 5], "mixed_float16 is fast"),
        ([6, 1], "no fast half precision"),
        (None, "no"),
    ],
)
def test_precision_is_advised_by_what_the_gpu_can_do(capability: list[int] | None, advice: str) -> None:
    assert advice in doctor.precision({"gpus": [["a GPU", capability]]}).found
    assert "slower without a GPU" in doctor.precision({"gpus": []}).found


def test_a_failed_import_is_a_fault_with_a_fix() -> None:
    tensorflow, keras = doctor.libraries({"error": "ImportError: no libcuda\nmore"}, "")
    assert (tensorflow.ok, tensorflow.found) == (False, "ImportError: no libcuda")
    assert "--force-reinstall" in tensorflow.fix
    assert keras.ok is False


def test_another_backend_is_a_fault_with_a_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    _, keras = doctor.libraries({**FINE, "backend": "jax"}, "")
    assert (keras.ok, "unset KERAS_BACKEND" in keras.fix) == (False, True)
    monkeypatch.delenv("KERAS_BACKEND")
    _, keras = doctor.libraries({**FINE, "backend": "jax"}, "")
    assert "keras.json" in keras.fix


def test_an_import_that_kills_python_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_LOOK", "import os\nos._exit(77)\n")
    findings = {finding.what: finding for finding in doctor.examine()}
    assert findings["TensorFlow"].found == "the import ended Python (exit status 77)"
    assert findings["Keras"].ok is False


def test_an_import_that_hangs_is_a_fault_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_LOOK", "import time\ntime.sleep(99)\n")
    monkeypatch.setattr(doctor, "IMPORT_SECONDS", 0.3)
    findings = {finding.what: finding for finding in doctor.examine()}
    assert findings["TensorFlow"].found == "no answer within 0.3 s"


def test_a_missing_and_an_old_package_are_named_with_one_command(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = ["numpy>=999", "no-such-package>=1", "click>=1", "other>=1; extra == 'gpu'"]
    monkeypatch.setattr(metadata, "requires", lambda _: needs)
    finding = doctor.packages()
    assert finding.ok is False
    assert finding.found == f"numpy {metadata.version('numpy')} is too old, no-such-package is missing"
    assert finding.fix == 'python -m pip install -U "numpy>=999" "no-such-package>=1"'


def test_little_memory_and_little_room_are_faults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "_MIN_MEMORY", 2**60)
    monkeypatch.setattr(doctor, "_MIN_DISK", 2**60)
    assert (doctor.memory().ok, doctor.disk(tmp_path).ok) == (False, False)


@pytest.mark.parametrize(
    ("script", "found", "told"),
    [
        ("print('H100, 570.1')", True, "H100, driver 570.1"),
        ("import sys; sys.exit('no devices were found')", False, "finds no card: no devices were found"),
        ("import time; time.sleep(60)", False, "does not answer"),
    ],
)
def test_nvidia_smi_is_asked_and_never_waited_for(
    monkeypatch: pytest.MonkeyPatch, script: str, found: bool, told: str
) -> None:
    run = subprocess.run

    def stand_in(_: object, **options: object) -> object:
        return run([sys.executable, "-c", script], **{**options, "timeout": 0.9 if "sleep" in script else 30})

    monkeypatch.setattr(doctor.platform, "system", lambda: "Windows")
    monkeypatch.setattr(doctor.shutil, "which", lambda _: "nvidia-smi")
    monkeypatch.setattr(doctor.subprocess, "run", stand_in)
    card, reason = doctor.nvidia()
    assert card is found
    assert told in reason
