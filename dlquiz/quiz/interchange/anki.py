"""A deck for Anki. Its ids never change, so that an import of a later export updates what is there."""

from __future__ import annotations

import html
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from dlquiz.quiz.interchange.plain import Plain
from dlquiz.quiz.marking import right

if TYPE_CHECKING:
    import genanki

# Drawn once at random: Anki tells decks and kinds of notes apart by them.
_MODEL = 1_607_284_913
_FIRST_DECK = 2_059_400_110
_CSS = """
.card { font-family: sans-serif; font-size: 18px; line-height: 1.4; max-width: 40em; margin: auto; text-align: left; }
.source { font-size: 13px; opacity: 0.7; }
ol { list-style: upper-alpha; }
img { max-width: 100%; }
"""


def write(questions: Iterable[Plain], file: Path) -> None:
    """Write an `.apkg`: a deck `dlquiz` with one below it for each group of topics, pictures inside.

    Raises:
        OSError: the file cannot be written.
    """
    import genanki

    model = genanki.Model(
        _MODEL,
        "dlquiz",
        fields=[{"name": name} for name in ("Question", "Answer", "Id", "Source")],
        templates=[
            {
                "name": "Recall",
                "qfmt": "{{Question}}",
                "afmt": '{{FrontSide}}<hr id="answer">{{Answer}}<p class="source">{{Source}}</p>',
            }
        ],
        css=_CSS,
    )
    decks: dict[str, genanki.Deck] = {}
    with tempfile.TemporaryDirectory(prefix="dlquiz-") as folder:
        media = []
        for one in questions:
            group = one.item.group
            deck = decks.setdefault(group, genanki.Deck(_deck_id(group), f"dlquiz::{group}"))
            picture = ""
            if one.picture:
                name = Path(folder) / f"dlquiz-{one.item.plot}.svg"
                name.write_text(one.picture, encoding="utf-8")
                media.append(str(name))
                picture = f'<p><img src="{name.name}"></p>'
            deck.add_note(
                genanki.Note(
                    model=model,
                    guid=genanki.guid_for("dlquiz", one.item.id),
                    fields=[_front(one) + picture, _back(one), one.item.id, _escaped(one.item.source)],
                    tags=[tag.replace("/", "::") for tag in one.tags],
                )
            )
        package = genanki.Package(list(decks.values()))
        package.media_files = sorted(set(media))
        package.write_to_file(str(file))


def _deck_id(group: str) -> int:
    import zlib

    return _FIRST_DECK + zlib.crc32(group.encode()) % 1_000_000


def _front(one: Plain) -> str:
    question = one.question
    parts = [f"<p>{_escaped(one.text)}</p>"]
    if question.lefts:
        parts.append(f"<p>{'<br>'.join(map(_escaped, question.lefts))}</p>")
    listed = [choice.text for choice in one.choices] or list(question.rights or question.steps)
    if listed:
        parts.append(f"<ol>{''.join(f'<li>{_escaped(text)}</li>' for text in listed)}</ol>")
    return "".join(parts)


def _back(one: Plain) -> str:
    answer = right(one.question)
    if one.item.type == "true-false":
        answer = next(choice.text for choice in one.choices if choice.right)
    return f"<p><b>{_escaped(answer)}</b></p><p>{_escaped(one.question.explanation)}</p>"


def _escaped(text: str) -> str:
    return html.escape(text, quote=False).replace("\n", "<br>")
