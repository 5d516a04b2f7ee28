"""Search: items by words."""

from __future__ import annotations

from rich.text import Text

from dlquiz.output import consoles
from dlquiz.quiz.asking import Person, formula
from dlquiz.quiz.items import load_bank
from dlquiz.quiz.posing import pose
from dlquiz.quiz.search import search as find


def search(words: str, count: int) -> bool:
    """List the items that hold all words, the best first; whether there are any."""
    person = Person(consoles(None)[0])
    found = find(load_bank(), words)
    for item in found[:count]:
        person.say(Text.assemble((item.id, "bold"), (f"  {item.type}, {', '.join(item.topics)}", "dim")))
        person.say(formula(" ".join(pose(item, 0).text.split())), sign=" ")
    if len(found) > count:
        person.say(f"\n{len(found) - count} more; -n {len(found)} shows them all.", "dim")
    if not found:
        person.say("No item holds all these words. Try fewer, or the beginning of one.")
    return bool(found)
