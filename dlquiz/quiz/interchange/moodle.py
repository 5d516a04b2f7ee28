"""Moodle XML, with pictures inside. https://docs.moodle.org/en/Moodle_XML_format describes it."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from dlquiz.quiz.interchange.plain import Plain

_TYPES = {
    "open": "essay",
    "choice": "multichoice",
    "choices": "multichoice",
    "number": "numerical",
    "pairs": "matching",
    "order": "matching",
    "word": "shortanswer",
}


def write(questions: Iterable[Plain]) -> bytes:
    """The questions as one file, UTF-8. Steps become pairs of a number and a step."""
    quiz = Element("quiz")
    for one in questions:
        _question(quiz, one)
    indent(quiz)
    return bytes(tostring(quiz, encoding="utf-8", xml_declaration=True))


def _question(quiz: Element, one: Plain) -> None:
    item, question = one.item, one.question
    top = SubElement(quiz, "question", type=_TYPES[one.kind])
    _text(SubElement(top, "name"), item.id)
    body = _html(SubElement(top, "questiontext", format="html"), one.text)
    if one.picture:
        name = f"{item.plot}.svg"
        body.text = f'{body.text}<p><img src="@@PLUGINFILE@@/{name}" alt=""></p>'
        file = SubElement(top[-1], "file", name=name, path="/", encoding="base64")
        file.text = base64.b64encode(one.picture.encode()).decode()
    told = f"{question.explanation}\n\nSource: {item.source}"
    _html(SubElement(top, "generalfeedback", format="html"), told)
    for key, value in {"defaultgrade": "1", "penalty": "0", "hidden": "0", "idnumber": item.id}.items():
        SubElement(top, key).text = value
    if one.kind == "open":
        SubElement(top, "responseformat").text = "editor"
        _html(SubElement(top, "graderinfo", format="html"), str(question.answer))
    elif one.kind == "number":
        right, tolerance = one.number
        _answer(top, f"{right}", 100, tolerance=tolerance)
        for mistake in question.mistakes:
            _answer(top, f"{mistake.value}", 0, mistake.feedback, tolerance)
    elif one.kind == "word":
        SubElement(top, "usecase").text = "0"
        for word in item.accepted:
            _answer(top, word, 100)
        for mistake in question.mistakes:
            _answer(top, str(mistake.value), 0, mistake.feedback)
    elif one.kind in ("pairs", "order"):
        SubElement(top, "shuffleanswers").text = "true"
        for first, second in item.pairs or [(str(place), step) for place, step in enumerate(item.steps, 1)]:
            part = SubElement(top, "subquestion", format="html")
            _html(part, first)
            _text(SubElement(part, "answer"), second)
    else:
        SubElement(top, "single").text = str(one.kind == "choice").lower()
        SubElement(top, "shuffleanswers").text = "true"
        SubElement(top, "answernumbering").text = "ABCD"
        share = 100 / sum(choice.right for choice in one.choices)
        for choice in one.choices:
            worth = share if choice.right else -share if one.kind == "choices" else 0
            _answer(top, choice.text, worth, choice.feedback, format="html")
    tags = SubElement(top, "tags")
    for tag in one.tags:
        _text(SubElement(tags, "tag"), tag)


def _answer(
    top: Element,
    text: str,
    worth: float,
    feedback: str = "",
    tolerance: float | None = None,
    format: str = "moodle_auto_format",
) -> None:
    answer = SubElement(top, "answer", fraction=f"{worth:.5f}".rstrip("0").rstrip("."), format=format)
    if format == "html":
        _html(answer, text)
    else:
        _text(answer, text)
    _html(SubElement(answer, "feedback", format="html"), feedback)
    if tolerance is not None:
        SubElement(answer, "tolerance").text = f"{tolerance:.6g}"


def _text(parent: Element, text: str) -> Element:
    element = SubElement(parent, "text")
    element.text = text
    return element


def _html(parent: Element, text: str) -> Element:
    return _text(parent, html.escape(text, quote=False).replace("\n", "<br>"))
