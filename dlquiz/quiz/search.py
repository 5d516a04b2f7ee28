"""Find items by words."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from dlquiz.quiz.items import Bank, Item

# What a word counts for by where it stands.
_IN_ID, _IN_TOPICS, _IN_QUESTION, _IN_ANSWER, _IN_EXPLANATION = 4.0, 3.0, 3.0, 2.0, 1.0
# A word that only begins like the one looked for: "norm" for "normalization".
_BEGINS = 0.5


def search(bank: Bank, words: str, limit: int | None = None) -> list[Item]:
    """The items that hold every word looked for, in their id, topics, question, answer or explanation; best first.

    A word that the start of another counts half; case and accents do not count. A word counts the more the fewer
    items hold it (Spärck Jones 1972). Equally good items keep the order of the bank.

    Args:
        words: separated by anything that is no letter or digit. Without any nothing is found.
        limit: the most items to give; None: all.
    """
    wanted = dict.fromkeys(_words(words))
    if not wanted:
        return []
    weights = {item.id: _weights(item) for item in bank.items}
    scores = dict.fromkeys(weights, 0.0)
    for word in wanted:
        found = {id: weight for id, held in weights.items() if (weight := _weight(word, held))}
        rarity = math.log(1 + len(weights) / (1 + len(found)))
        scores = {id: score + rarity * found[id] for id, score in scores.items() if id in found}
    order = sorted(scores, key=scores.__getitem__, reverse=True)
    return [bank.by_id[id] for id in order[:limit]]


def _weights(item: Item) -> dict[str, float]:
    """What each word of an item counts for: the more often it stands there the more, but ever less so."""
    answers = [
        item.answer if isinstance(item.answer, str) else "",
        item.formula,
        *(choice.text for choice in item.choices),
        *(side for pair in item.pairs for side in pair),
        *item.steps,
        *item.accepted,
    ]
    total: dict[str, float] = {}
    for texts, weight in (
        ([item.id], _IN_ID),
        (item.topics, _IN_TOPICS),
        ([item.question], _IN_QUESTION),
        (answers, _IN_ANSWER),
        ([item.explanation], _IN_EXPLANATION),
    ):
        for word, count in Counter(_of(texts)).items():
            total[word] = total.get(word, 0.0) + weight * (1 + math.log(count))
    return total


def _weight(word: str, held: dict[str, float]) -> float:
    begun = (_BEGINS * weight for other, weight in held.items() if other.startswith(word))
    return max(held.get(word, 0.0), max(begun, default=0.0))


def _of(texts: Iterable[str]) -> list[str]:
    return [word for text in texts for word in _words(text)]


def _words(text: str) -> list[str]:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"[^\W_]+", "".join(sign for sign in decomposed if not unicodedata.combining(sign)))
