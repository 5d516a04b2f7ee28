"""The files of one student: the paper as HTML and as Markdown, its pictures, and sheets for the answers."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from grader.exams.asked import Asked
from grader.report.table import number

_CODE = re.compile(r"(`[^`\n]+`)")
# All that CommonMark gives a meaning within a line, and what only means something where a line begins.
_MARKS = re.compile(r"[\\`*_{}\[\]<>#|~$!&]")
_LINE_START = re.compile(r"^([-+=:]|[0-9]+(?=[.)]))")


def student_files(title: str, student: str, questions: Sequence[Asked]) -> dict[str, str]:
    """Each file's text by its name.

    Args:
        title, student: shown as they are.
    """
    told = {
        "title": title,
        "student": student,
        "questions": questions,
        "total": number(sum(one.points for one in questions)),
    }
    names = [one.name for one in questions]
    blank = {"exam": title, "student": student, "answers": dict.fromkeys(names, "")}
    return {
        "paper.html": _environment(escape=True).get_template("paper.html").render(css=_css(), **told),
        "paper.md": _environment(escape=False).get_template("paper.md").render(**told),
        **{f"{one.name}.svg": _document(one.picture) for one in questions if one.picture},
        f"{student}.csv": "".join(
            f"{line}\n" for line in ("question,answer", *(f"{name}," for name in names))
        ),
        f"{student}.json": json.dumps(blank, indent=2, ensure_ascii=False) + "\n",
    }


def points(value: float) -> str:
    """ "1 point", "2.5 points"."""
    return f"{number(value)} point{'' if value == 1 else 's'}"


def html(text: str) -> Markup:
    """Escaped, with what stands between backticks as code."""
    parts = (
        Markup("<code>{}</code>").format(part[1:-1]) if _CODE.fullmatch(part) else Markup.escape(part)
        for part in _CODE.split(text)
    )
    return Markup("").join(parts)


def markdown(text: str, indent: str = "") -> str:
    """Plain text, with code between backticks, so that CommonMark shows it as it is.

    Args:
        indent: what begins every line but the first.
    """
    return f"\n{indent}".join(_line(line) for line in re.sub(r"\n(?=[^\n])", "  \n", text).split("\n"))


def _line(line: str) -> str:
    body = line.lstrip(" ")
    parts = (part if _CODE.fullmatch(part) else _MARKS.sub(r"\\\g<0>", part) for part in _CODE.split(body))
    # spaces that begin a line mean something else there
    return "\N{NO-BREAK SPACE}" * (len(line) - len(body)) + _LINE_START.sub(_escaped, "".join(parts))


def _escaped(found: re.Match[str]) -> str:
    text = found[0]
    return f"{text}\\" if text.isdigit() else f"\\{text}"


def _document(svg: str) -> str:
    return f'<?xml version="1.0" encoding="utf-8"?>\n{svg}\n'


@functools.cache
def _environment(*, escape: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("grader.exams"),
        autoescape=escape,  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"code": html, "md": markdown, "points": points, "svg": Markup}
    return environment


@functools.cache
def _css() -> Markup:
    text = files("grader.exams").joinpath("templates", "paper.css").read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704
