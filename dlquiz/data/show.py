"""What `dlquiz data` prints."""

from __future__ import annotations

from dataclasses import asdict

from rich.text import Text

from dlquiz.data.cards import DataError, card, describe, names
from dlquiz.handouts import HandoutError
from dlquiz.output import consoles, write_json

SCHEMA = 1


def show(name: str | None, json_file: str | None) -> None:
    """Print the list of data sets, or one card.

    Raises:
        HandoutError: there is no such set, or a card is damaged.
    """
    out, _ = consoles(json_file)
    try:
        if name is not None:
            out.print(Text(describe(name).rstrip()))
            write_json({"schema": SCHEMA, "dataset": asdict(card(name))}, json_file)
            return
        cards = [card(one) for one in names()]
    except DataError as error:
        raise HandoutError(str(error)) from None
    for one in cards:
        needs = {"keras": ", from the network", "path": ", from a file of yours"}.get(one.source, "")
        out.print(Text.assemble((f"{one.name:<14}", "bold"), f"{one.rows:>7,} rows  {one.title}{needs}"))
    out.print("\nLoad one with: dlquiz.data.load(NAME)", highlight=False)
    rows = [{"name": one.name, "title": one.title, "source": one.source, "rows": one.rows} for one in cards]
    write_json({"schema": SCHEMA, "datasets": rows}, json_file)
