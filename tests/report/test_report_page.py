"""The page of a result tells everything, asks for nothing, and lets nothing that was handed in act."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import fields, replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from dlquiz.testing.verdict import Verdict
from grader.report.page import html_page
from grader.result import ProblemResult, Result, TestResult

VOID = {"img", "meta"}
TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "article", "h1", "h2",
    "h3", "h4", "p", "span", "bdi", "div", "pre", "progress", "table", "thead", "tbody", "tr", "th", "td", "a", "ul",
    "li", "dl", "dt", "dd", "figure", "figcaption", "img",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "class", "id", "value", "max", "aria-label", "scope", "href",
    "data-verdict", "src", "alt",
}  # fmt: skip
ATTACKS = {
    "script": "<script>alert(1)</script>",
    "end of the style sheet": "</style><style>body{display:none}</style>",
    "end of a block": "</pre></article></main></body></html><h1>100 of 100</h1>",
    "end of a title": "</title><meta http-equiv=refresh content=0;url=//evil.example>",
    "attribute": "\" onerror=alert(1) x='",
    "picture": "<img src=x onerror=alert(1)><svg/onload=alert(1)>",
    "link": "<a href='javascript:alert(1)'>javascript:alert(1)</a>",
    "template": "{{ 7 * 191 }}{% raw %}{# hidden #}",
    "entity": "&lt;script&gt;&#60;script&#62;&#x202e;",
    "comment": "<!-- --!> ]]> <![CDATA[ <?php",
    "terminal": "\x1b[2J\x1b]8;;https://evil.example\x07x\x1b[31mred\x1b[0m",
    "direction": "\u202etxt.exe\u2066\u2069\u200f",
    "NUL": "a\x00b",
    "no characters": "\ud800\udcff\ufffe\uffff",
}
DANGEROUS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


class Page(HTMLParser):
    """A page taken apart. Elements that are not closed in order, or not known here, are an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.raw = text
        self.open: list[str] = []
        self.starts: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert tag in TAGS, tag
        assert set(names) <= ATTRIBUTES, (tag, names)
        assert len(set(names)) == len(names)
        self.starts.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def handle_comment(self, data: str) -> None:
        pytest.fail(f"a comment: {data}")

    @property
    def text(self) -> str:
        """What is read, without the style sheet."""
        return "".join(data for tag, data in self.texts if tag != "style")

    def all(self, name: str) -> list[dict[str, str]]:
        """The attributes of every element of a name."""
        return [attributes for tag, attributes in self.starts if tag == name]


def page(result: Result, reproduce: str = "grader grade x") -> Page:
    return Page(html_page(result, reproduce))


def svg(source: str) -> ElementTree.Element:
    head, _, body = source.partition(",")
    assert head == "data:image/svg+xml;base64"
    return ElementTree.fromstring(base64.b64decode(body, validate=True))


def hostile_result(attack: str, figures: dict) -> Result:
    """A result in which every text that a student, a suite or a machine could write holds the attack."""
    figures["roc"]["title"] = figures["learning_curves"]["diagnosis"] = attack
    figures["confusion_matrix"]["labels"] = [attack, attack]
    shown = (*figures.values(), {"kind": attack}, {**figures["roc"], "auc": {"value": attack}})
    texts = {field.name: f"{field.name} {attack}" for field in fields(TestResult) if field.type == "str"}
    tests = [
        TestResult(**{**texts, "problem": problem, "verdict": verdict, "points": 0.5, "max_points": 1.0})
        for problem, verdict in (("p" + attack, Verdict.FAILED), ("unknown" + attack, Verdict.PASSED))
    ]
    tests[0] = replace(tests[0], figures=shown)
    strings = {field.name: f"{field.name} {attack}" for field in fields(Result) if field.type == "str"}
    lists = {name: (f"{name} {attack}",) for name in ("notes", "limits_hit", "faults")}
    return Result(
        **{**strings, **lists, "points": 1.0, "max_points": 4.0, "graded": True, "seed": 1},
        tests=tuple(tests),
        problems=(ProblemResult("p" + attack, "title " + attack, 1.0, 2.0),),
        versions={"keras" + attack: "3" + attack},
    )


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_whatever_was_handed_in_is_inert(figures, attack):
    found = page(hostile_result(attack, figures), f"grader grade {attack}")
    harmless = page(hostile_result("harmless", figures), "grader grade harmless")
    assert [tag for tag, _ in found.starts] == [tag for tag, _ in harmless.starts]
    assert DANGEROUS.findall(found.raw) == []
    assert found.raw.encode()
    assert all(name["href"].startswith("#problem-") for name in found.all("a"))
    for image in found.all("img"):
        assert [element.tag for element in svg(image["src"]).iter() if element.tag.endswith("script")] == []
    assert "1337" not in found.text


def test_an_attack_can_still_be_read(figures):
    found = page(hostile_result(ATTACKS["script"] + ATTACKS["terminal"] + ATTACKS["direction"], figures))
    for name in ("title", "hint", "message", "detail", "traceback", "output", "reason"):
        assert f"{name} <script>alert(1)</script>\\x1b[2J" in found.text
    assert r"\u202etxt.exe" in found.text


def test_the_page_may_load_and_run_nothing_but_its_own_style(figures, make_result, make_test):
    found = page(make_result("ann", 5.0, make_test("t", figures=tuple(figures.values()))))
    (policy,) = [
        one["content"] for one in found.all("meta") if one.get("http-equiv") == "Content-Security-Policy"
    ]
    (style,) = [data for tag, data in found.texts if tag == "style"]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'", f"style-src 'sha256-{digest}'", "img-src data:", "base-uri 'none'",
        "form-action 'none'",
    ]  # fmt: skip
    # A policy in a meta element holds from there on.
    tags = [tag for tag, _ in found.starts]
    assert tags.index("meta") < tags.index("style")
    assert re.findall(r"url\(|@import|https?:|//", style) == []
    assert re.findall(r"https?://", found.raw) == []
    assert "@media print" in style
    assert "prefers-color-scheme: dark" in style


def test_the_page_tells_everything_about_a_result(make_result, make_test):
    tests = [
        make_test("test_a", Verdict.PASSED, reason="accuracy reaches 0.8"),
        make_test(
            "test_b[2-3]", points=1.25, reason="AUC judged at 0.7", hint="Which axis?", message="expected data",
            traceback="line 3", output="loss 1", detail="want 42",
        ),
        make_test("test_c", Verdict.NOT_ATTEMPTED),
    ]  # fmt: skip
    result = make_result(
        "ann", 6.25, *tests, seed=1234567, submission_hash="s" * 64, assignment_hash="a" * 64,
        grader_version="0.1.0", versions={"keras": "3.15.0"}, started="2025-11-21T01:00:00+00:00",
        notes=("read from a notebook",), limits_hit=("memory: 2048 MB",), faults=("no worker",),
        import_error="SyntaxError", import_output="hi",
    )  # fmt: skip
    found = page(result, "grader grade x --seed 1234567")
    for text in (
        "ann", "activations", "6.25 of 10 (62.5 %)", "For the instructor: this page quotes hidden tests.",
        "Rectifier: 6.25/10", "test_a", "✓ passed", "5/5", "title of test_a", "Why: accuracy reaches 0.8",
        "test_b[2-3]", "✗ failed, with part of the points", "1.25/5", "Why: AUC judged at 0.7", "Hint\nWhich axis?",
        "Message\nexpected data", "Where in the student's code\nline 3", "Output of the student's code\nloss 1",
        "For the instructor; students never see this\nwant 42", "– not attempted", "read from a notebook",
        "memory: 2048 MB", "no worker", "SyntaxError", "Output of the import\nhi", "1234567", "s" * 64, "a" * 64,
        "0.1.0", "keras 3.15.0", "2025-11-21T01:00:00+00:00, in 0.50 s", "grader grade x --seed 1234567",
    ):  # fmt: skip
        assert text in found.text, text
    assert [one["data-verdict"] for one in found.all("article")] == ["passed", "failed", "not attempted"]


def test_a_result_that_is_no_mark_does_not_look_like_one(make_result):
    found = page(make_result(graded=False))
    assert "No mark: not every test could be judged; the others came to 5 of 10" in found.text
    assert found.all("progress") == [{"value": "5.0", "max": "10.0", "aria-label": "share of the points"}]


def test_pictures_stand_beside_their_tests(figures, make_result, make_test):
    tests = [
        make_test("t1", Verdict.PASSED, figures=(figures["confusion_matrix"],)),
        make_test("t2", figures=(figures["roc"], {"kind": "roc"})),
    ]
    found = page(make_result("ann", 5.0, *tests))
    order = [tag for tag, _ in found.starts if tag in ("article", "img")]
    assert order == ["article", "img", "article", "img"]
    assert [one["alt"] for one in found.all("img")] == ["confusion matrix: Digits", "ROC curve: Ill or not"]
    for image, label in zip(found.all("img"), ("Digits", "Ill or not"), strict=True):
        assert label in "".join(svg(image["src"]).itertext())
    assert "98 of 113 are predicted as what they are." in found.text
    assert "Area under the curve 0.815 (0.750 to 0.870)" in found.text
    assert "A figure of the suite cannot be drawn: roc figure: 'fpr' is missing" in found.text


def test_a_result_of_before_there_were_figures_has_a_page(make_result, make_test):
    data = json.loads(json.dumps(make_result("ann", 5.0, make_test("t", hint="Which axis?")).to_json()))
    for test in data["tests"]:
        del test["figures"], test["reason"]
    found = page(Result.from_json(data))
    assert "Which axis?" in found.text
    assert found.all("img") == []
    assert "Why:" not in found.text


def test_problems_without_tests_and_tests_without_a_problem_are_shown(make_result, make_test):
    problems = (ProblemResult("zeta", "Zeta", 0.0, 5.0), ProblemResult("free", "", 0.0, 0.0))
    found = page(
        make_result("ann", 0.0, make_test("lost", problem="gone"), problems=problems, max_points=0.0)
    )
    heads = [text.strip() for text in re.findall(r"<h2><bdi>(.*)</bdi>", found.raw)]
    assert heads == ["Zeta", "free", "gone"]
    assert [one["max"] for one in found.all("progress")] == ["5.0"]
    links = [one["href"].removeprefix("#") for one in found.all("a")]
    assert links == [one["id"] for one in found.all("section")]


def test_a_megabyte_of_output_does_not_flood_the_page(make_result, make_test):
    test = make_test(output="x" * 1_000_000, message="y\n" * 500_000, title="t" * 100_000)
    assert len(page(make_result("ann", 0.0, test, import_output="z" * 1_000_000)).raw) < 60_000
