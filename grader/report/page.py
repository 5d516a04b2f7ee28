"""One result as a page: a single HTML file without scripts, which asks the network for nothing."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dlquiz.testing.verdict import Verdict
from grader.report.parts import by_problem, explained, facts, mark, pictures, share
from grader.report.pictures import Picture, draw
from grader.report.text import clean
from grader.result import Result, TestResult

_SIGNS = {Verdict.PASSED: "✓", Verdict.NOT_ATTEMPTED: "–", Verdict.SKIPPED: "–"}


def html_page(result: Result, reproduce: str) -> str:
    """Everything about one submission, with pictures, for the instructor.

    What a student, a suite or a machine wrote is shown as inert text: cleaned as for a terminal, then escaped. The
    page's policy allows its one style sheet and pictures inside the page, nothing else.

    Args:
        result: the result to show.
        reproduce: the command line which grades it once more in the same way.
    """
    environment = Environment(
        loader=PackageLoader("grader.report"),
        autoescape=True,
        finalize=_inert,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["block"] = _block
    css = files("grader.report").joinpath("templates", "result.css").read_text(encoding="utf-8")
    return environment.get_template("result.html").render(
        result=result,
        mark=mark(result),
        problems=_problems(result),
        facts=facts(result),
        reproduce=reproduce,
        css=css,
        policy=_policy(css),
    )


def _inert(value: object) -> str:
    """Whatever a template prints, unless it was made safe on purpose."""
    return value if isinstance(value, Markup) else clean(str(value), one_line=True)


def _block(text: str) -> Markup:
    return Markup.escape(clean(text.strip("\n")))


def _policy(css: str) -> str:
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def _problems(result: Result) -> list[dict[str, Any]]:
    return [
        {
            "title": problem.title or name if problem else name,
            "points": problem.points if problem else 0,
            "max_points": problem.max_points if problem else 0,
            "share": share(problem.points, problem.max_points) if problem else "",
            "tests": [_test(test) for test in tests],
        }
        for name, problem, tests in by_problem(result)
    ]


def _test(test: TestResult) -> dict[str, Any]:
    return {
        "name": test.name,
        "verdict": test.verdict,
        "sign": _SIGNS.get(test.verdict, "✗"),
        "in_part": explained(test) and test.points > 0,
        "share": share(test.points, test.max_points),
        "title": test.title,
        "reason": test.reason,
        "explained": explained(test),
        "hint": test.hint,
        "message": test.message,
        "traceback": test.traceback,
        "output": test.output,
        "detail": test.detail,
        "figures": [_figure(picture) for picture in pictures(test)],
    }


def _figure(picture: Picture | ValueError) -> dict[str, Any]:
    if isinstance(picture, ValueError):
        return {"fault": str(picture)}
    # As an image a picture keeps its styles to itself, and could not run a script if it had one.
    encoded = base64.b64encode(draw(picture).encode()).decode()
    return {
        "fault": "",
        "source": f"data:image/svg+xml;base64,{encoded}",
        "name": picture.name,
        "title": picture.title,
        "description": Markup.escape(clean(picture.describe(), max_line=4000)),
    }
