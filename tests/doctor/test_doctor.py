"""The doctor says what holds on this machine, and can say that something does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader import doctor, verbs
from grader.cli import main
from grader.doctor import Finding, attempts, examine
from grader.engine import local
from grader.engine.processes import EngineError
from grader.sandbox import landlock


@pytest.fixture(scope="module")
def strict() -> list[Finding]:
    """What the doctor finds with confinement."""
    return list(examine())


@pytest.fixture(scope="module")
def loose() -> list[Finding]:
    """What the doctor finds without."""
    return list(examine("none"))


def of_worker(findings: list[Finding]) -> dict[str, Finding]:
    return {one.what.removeprefix("worker: "): one for one in findings if one.what.startswith("worker")}


def test_every_escape_is_held(strict: list[Finding]) -> None:
    found = of_worker(strict)
    assert set(found) == {*attempts.NAMES, "hang for ever", "take more memory than allowed"}
    assert [one for one in found.values() if not one.ok] == []
    assert found["train a Keras model"].found == "works"


def test_the_machine_is_described(strict: list[Finding]) -> None:
    found = {one.what: one for one in strict}
    for name in ("Python", "kernel", "Landlock", "keras", "tensorflow", "pyseccomp"):
        assert found[name].ok, found[name]
        assert found[name].found
    assert found["GPU"].ok is None


def test_without_confinement_the_same_escapes_succeed(loose: list[Finding]) -> None:
    """Else the doctor's tries would prove nothing."""
    found = of_worker(loose)
    escaped = {name for name, one in found.items() if one.ok is False}
    assert escaped >= {
        "read a hidden file",
        "list a hidden folder",
        "write outside its folder",
        "change a file's mode",
        "read the parent's environment",
        "signal the parent",
        "open a TCP socket",
        "open a UDP socket",
        "open a Unix socket",
        "start a process",
        "run a program",
    }
    for name in escaped:
        assert "failed" in found[name].found
        assert "do not grade strangers' code here" in found[name].fix
    # the parent watches these, whatever the isolation
    for name in ("hang for ever", "take more memory than allowed", "train a Keras model"):
        assert found[name].ok, found[name]


def test_a_worker_that_cannot_be_started_is_told_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise EngineError("Landlock: this kernel does not have it")

    monkeypatch.setattr(local.LocalEngine, "__enter__", fail)
    last = [*examine()][-1]
    assert (last.what, last.ok, last.fix) == ("worker", False, "Landlock: this kernel does not have it")


def test_a_kernel_without_landlock_is_told_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "abi", lambda: 0)
    monkeypatch.setattr(local.LocalEngine, "__enter__", lambda _: (_ for _ in ()).throw(EngineError("no")))
    found = {one.what: one for one in examine()}
    assert found["Landlock"].ok is False
    assert "lsm=landlock" in found["Landlock"].fix


@pytest.mark.parametrize(("ok", "status"), [(True, 0), (False, 1), (None, 0)])
def test_the_exit_status_says_whether_everything_held(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ok: bool | None, status: int
) -> None:
    monkeypatch.setattr(
        doctor, "examine", lambda: iter([Finding("a thing", ok, "found [b]this[/b]", "the way out")])
    )
    result = CliRunner().invoke(main, ["doctor", "--json", str(tmp_path / "out.json")])
    assert result.exit_code == status
    assert "found [b]this[/b]" in result.output
    assert ("the way out" in result.output) is (ok is False)
    told = json.loads((tmp_path / "out.json").read_text())
    assert told["schema"] == verbs.JSON_SCHEMA
    assert told["findings"][0]["ok"] is ok
