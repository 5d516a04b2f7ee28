"""`dlquiz.check`: what a notebook has defined is checked where it stands."""

from __future__ import annotations

import html.parser
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlquiz import handouts
from dlquiz.checking.outcome import Outcome
from dlquiz.handouts import HandoutError
from dlquiz.testing.verdict import Verdict

Result = Any


def outcomes(checked: Any) -> dict[str, Outcome]:
    return {outcome.name: outcome for part in checked.parts for outcome in part.outcomes}


def verdicts(checked: Any) -> list[str]:
    return [outcome.verdict for outcome in outcomes(checked).values()]


def test_names_that_are_missing_are_not_attempted_and_named(names: Any) -> None:
    checked = names.check()
    assert (checked.passed, checked.total) == (0, 4)
    assert verdicts(checked) == ["not attempted", "skipped", "not attempted", "not attempted"]
    told = outcomes(checked)["test_total"].message
    assert told == "this notebook has not defined `total` yet: run the cell that does"
    assert told.replace("`", "&#96;") in checked._repr_html_() or told in checked._repr_html_()


def test_what_was_defined_last_is_what_counts(names: Any, texts: dict[str, str]) -> None:
    assert names.check().passed == 0
    assert names.run("def total(values):\n    raise NotImplementedError").check().passed == 0
    assert names.run(texts["total"]).check().passed == 2
    assert names.run(texts["mean"]).check().passed == 4
    assert names.run("def helper(values):\n    return [7.0]").check().passed == 1
    del names["mean"]
    assert outcomes(names.check())["test_mean"].verdict is Verdict.NOT_ATTEMPTED


def test_a_check_tells_what_the_command_tells(
    names: Any, texts: dict[str, str], dlquiz: Callable[..., Any], world: Path
) -> None:
    wrong = "def total(values):\n    print('tried', len(values))\n    return sum(helper(values)) + 1"
    mean = "def mean(values):\n    return LIMIT / 0"
    names.run(wrong, mean)
    here = names.check(seed=5).to_json()
    dlquiz("start", "sums")
    (world / "sums" / "sums.py").write_text(
        f"{texts['stub'].partition('def total')[0]}\n\n{wrong}\n\n\n{mean}\n"
    )
    dlquiz("check", "sums", "--seed", "5", "--json", "told.json")
    there = json.loads(Path("told.json").read_text())
    for told in (here, there):
        told.pop("seconds")
        for problem in told["problems"]:
            for test in problem["tests"]:
                del test["seconds"], test["trace"]
    assert here == there
    assert {test["verdict"] for problem in here["problems"] for test in problem["tests"]} == {
        "failed",
        "skipped",
        "error",
    }
    assert here["problems"][0]["tests"][0]["difference"]["rows"] == []
    assert here["problems"][0]["tests"][0]["output"] == "tried 3\n"


def test_lines_are_those_of_the_cells(names: Any) -> None:
    names.run("def deeper(values):\n    return 1 / 0", "x = 1\ndef mean(values):\n    return deeper(values)")
    told = outcomes(names.check(problems="mean"))["test_mean"]
    assert told.trace == (
        "cell In[4], line 3, in mean\n    return deeper(values)\ncell In[3], line 2, in deeper\n    return 1 / 0"
    )


def test_problems_can_be_chosen_by_name_or_by_list(names: Any) -> None:
    for chosen in ("mean", ["mean"]):
        assert list(outcomes(names.check(problems=chosen))) == ["test_mean", "test_mean_of_none"]


def test_a_seed_repeats_a_run_and_leaves_the_users_generators_alone(names: Any) -> None:
    names.run("def total(values):\n    print(values, np.random.rand())\n    return 0")
    random.seed(1)
    np.random.seed(1)
    printed = [outcomes(names.check(seed=seed))["test_total"].output for seed in (5, 5, 6)]
    assert printed[0] == printed[1] != printed[2]
    drawn = random.random(), np.random.rand()
    random.seed(1)
    np.random.seed(1)
    assert drawn == (random.random(), np.random.rand())


@pytest.mark.parametrize(
    "loop",
    [
        "while True:\n        pass",
        "while True:\n        try:\n            len(values)\n        except Exception:\n            pass",
        "import time\n    time.sleep(60)",
        "try:\n        while True:\n            pass\n    except:\n        pass\n    while True:\n        pass",
    ],
)
def test_a_hang_costs_its_own_test_only(names: Any, texts: dict[str, str], loop: str) -> None:
    names.run(texts["total"], f"def mean(values):\n    {loop}")
    started = time.monotonic()
    checked = names.check(timeout=0.3)
    assert time.monotonic() - started < 10
    assert verdicts(checked) == ["passed", "passed", "timeout", "timeout"]
    told = outcomes(checked)["test_mean"]
    assert told.message == "no answer within 0.3 s"
    assert ", in mean\n" in told.trace
    assert "test_public" not in told.trace


def test_the_clock_of_the_user_goes_on_after_a_check(names: Any, texts: dict[str, str]) -> None:
    rung = threading.Event()
    before = signal.signal(signal.SIGALRM, lambda *_: rung.set())
    own = signal.setitimer(signal.ITIMER_REAL, 1.5)
    try:
        names.run(texts["total"]).check(timeout=30)
        assert not rung.is_set()
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] < 1.5
        assert rung.wait(3)
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *own)


def test_a_check_in_a_thread_has_no_limit_and_works(names: Any, texts: dict[str, str]) -> None:
    found: list[Any] = []
    names.run(texts["total"], texts["mean"])
    thread = threading.Thread(target=lambda: found.append(names.check()))
    thread.start()
    thread.join(30)
    assert found[0].passed == 4


def test_an_interrupt_leaves_what_was_done_by_then(names: Any, texts: dict[str, str]) -> None:
    names.run(
        texts["total"],
        "def mean(values):\n    import os, signal\n    os.kill(os.getpid(), signal.SIGINT)\n    while 1: pass",
    )
    checked = names.check()
    assert verdicts(checked) == ["passed", "passed", "skipped", "skipped"]
    here, later = list(outcomes(checked).values())[2:]
    assert here.message == "the check was interrupted here"
    assert ", in mean\n" in here.trace
    assert later.message == "not run, since the check was interrupted"
    assert (checked.passed, checked.total) == (2, 4)
    assert names.check(problems="total").passed == 2


@pytest.mark.parametrize("end", ["import sys; sys.exit(3)", "raise SystemExit", "quit()"])
def test_code_that_ends_the_program_ends_its_test(names: Any, texts: dict[str, str], end: str) -> None:
    names.run(texts["total"], f"def mean(values):\n    {end}")
    checked = names.check()
    assert verdicts(checked) == ["passed", "passed", "crashed", "crashed"]
    assert "your code ended the program" in outcomes(checked)["test_mean"].message
    assert ", in mean\n" in outcomes(checked)["test_mean"].trace


def test_code_that_asks_for_input_is_given_none(names: Any) -> None:
    told = outcomes(names.run("def mean(values):\n    return input('> ')").check())["test_mean"]
    assert (told.verdict, told.message) == ("error", "EOFError: a test gives no input")


def test_what_is_printed_is_bounded_and_kept_from_the_screen(
    names: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    names.run(
        "import sys\ndef mean(values):\n    for _ in range(9_000): print('y' * 200)\n"
        "    print('err', file=sys.stderr)\n    return 0"
    )
    told = outcomes(names.check())["test_mean"]
    assert len(told.output) < 11_000
    assert told.output.endswith("... (cut)")
    assert capsys.readouterr() == ("", "")


HOSTILE = "<script>alert('x')</script>\x1b[31m<img src=x onerror=alert(1)>"


class Tags(html.parser.HTMLParser):
    """The tags of a page, and whether all of them are closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.open.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_no_text_of_a_student_becomes_html(names: Any) -> None:
    hostile = repr(HOSTILE)
    names.run(
        f"def total(values):\n    print({hostile})\n    raise RuntimeError({hostile})",
        f"def mean(values):  # {HOSTILE!a}\n    return np.array({hostile})",
        f"{HOSTILE!a}; t = type({hostile}, (), {{}})",
    )
    checked = names.check()
    page = checked._repr_html_()
    tags = Tags(page)
    assert tags.open == []
    assert {"script", "img"} & set(tags.seen) == set()
    assert tags.attributes == {"class", "scope", "colspan"}
    assert "&lt;script&gt;" in page
    assert "\x1b" not in page + repr(checked)
    assert "Sums &amp; more: 0 of 4 public tests passed" in page
    assert "Does every number &lt;b&gt;count&lt;/b&gt;?" in page


def test_the_table_has_a_row_for_each_problem_and_the_text_says_the_same(
    names: Any, texts: dict[str, str]
) -> None:
    checked = names.run(texts["total"], "def mean(values):\n    return np.zeros(2)").check()
    page, text = checked._repr_html_(), repr(checked)
    assert '<th scope="row">A total</th>\n<td class="number">4</td>\n<td class="number">2 of 2</td>' in page
    assert '<td class="number">0 of 2</td>' in page
    assert "In reach: 4 of 10 points." in page
    assert "✓ A total, 4 points: 2 of 2" in text
    assert "✗ A mean, 6 points: 0 of 2" in text
    assert "In reach: 4 of 10 points." in text
    assert str(checked) == text


def test_everything_passed_is_told_with_what_remains(names: Any, texts: dict[str, str]) -> None:
    names.run(texts["total"], texts["mean"])
    assert "All public tests passed.</b> Hidden tests remain" in names.check()._repr_html_()
    assert "All public tests passed here.</b>" in names.check(problems="mean")._repr_html_()


def test_forbidden_names_are_shown_with_their_cells(names: Any, texts: dict[str, str]) -> None:
    names.run(
        "from numpy import mean as ready\nfrom numpy import linalg",
        texts["total"],
        "def mean(values):\n    x = 1\n    return ready(values)",
        "class Other:\n    def f(self):\n        return linalg.inv",
    )
    checked = names.check()
    assert checked.to_json()["forbidden"] == [
        {"file": "cell In[5]", "line": 3, "name": "numpy.mean"},
        {"file": "cell In[6]", "line": 3, "name": "numpy.linalg"},
    ]
    for told in (repr(checked), checked._repr_html_()):
        assert "cell In[5], line 3: numpy.mean is forbidden in this assignment" in told
    names.run(texts["mean"])
    del names["Other"]
    assert names.check().to_json()["forbidden"] == []


def test_a_check_leaves_the_process_as_it_was(
    names: Any, texts: dict[str, str], world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    folder = handouts.public_tests("sums").parent
    before = dict(os.environ), sys.stdout, sys.stderr, list(sys.meta_path), sys.dont_write_bytecode
    modules = sys.modules.get("test_public")
    names.run(texts["total"])
    keys = set(names)
    names.check()
    assert (dict(os.environ), sys.stdout, sys.stderr, list(sys.meta_path), sys.dont_write_bytecode) == before
    assert sys.modules.get("test_public") is modules
    assert set(names) == keys
    assert not (folder / "__pycache__").exists()
    assert list(world.iterdir()) == []


def test_tests_that_change_between_two_checks_are_read_again(names: Any, texts: dict[str, str]) -> None:
    names.run(texts["total"], texts["mean"])
    assert names.check().total == 4
    file = handouts.public_tests("sums")
    file.write_text(texts["tests"].partition('@pytest.mark.problem("mean")')[0])
    assert names.check().total == 2


def test_settings_of_pytest_do_not_reach_a_check(
    names: Any, texts: dict[str, str], monkeypatch: pytest.MonkeyPatch, world: Path
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--nonsense")
    (world / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n")
    (world / "conftest.py").write_text("raise RuntimeError\n")
    assert names.run(texts["total"]).check().passed == 2


def test_a_check_in_the_assignments_folder_is_remembered(
    names: Any,
    texts: dict[str, str],
    dlquiz: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    world: Path,
) -> None:
    dlquiz("start", "sums", "--notebook")
    names.run(texts["total"]).check()
    assert " public tests" not in dlquiz("list").output
    monkeypatch.chdir(world / "sums")
    names.check(problems="total")
    assert " public tests" not in dlquiz("list").output
    names.check()
    assert "2 of 4 public tests" in dlquiz("list").output


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"problems": "totl"}, "sums has no problem 'totl': did you mean total?"),
        ({"timeout": 0}, "timeout is a number of seconds above 0, not 0"),
    ],
)
def test_what_was_asked_wrongly_is_one_clear_message(names: Any, options: dict[str, Any], told: str) -> None:
    with pytest.raises(HandoutError, match=told) as caught:
        names.check(**options)
    assert caught.value._render_traceback_() == [f"dlquiz: {told}"]


@pytest.mark.parametrize(
    ("tests", "told"), [("(", "the public tests cannot be used: "), ("", "there are no public tests of sums")]
)
def test_tests_that_cannot_be_used_are_one_clear_message(names: Any, tests: str, told: str) -> None:
    handouts.public_tests("sums").write_text(tests)
    with pytest.raises(HandoutError, match=told):
        names.check()


def test_the_package_stays_light() -> None:
    import subprocess

    code = (
        "import sys, dlquiz\nassert dlquiz.check\n"
        "print([m for m in ('numpy', 'pytest', 'rich', 'jinja2', 'nbformat', 'IPython') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.stdout == "[]\n"
