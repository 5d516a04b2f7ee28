"""`dlquiz data`: the list, a card, and a name that there is not."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from dlquiz import data
from dlquiz.cli import main


def test_the_list_names_every_set_and_what_it_needs(tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    result = CliRunner().invoke(main, ["data", "--json", str(file)])
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line.split()[0] for line in lines[: len(data.names())]] == list(data.names())
    assert any(line.startswith("mnist") and line.endswith(", from the network") for line in lines)
    assert [row["name"] for row in json.loads(file.read_text())["datasets"]] == list(data.names())


def test_a_card_is_shown_and_written() -> None:
    shown = CliRunner().invoke(main, ["data", "fraud"])
    assert shown.exit_code == 0
    assert " ".join(data.describe("fraud").split()) == " ".join(shown.output.split())
    result = CliRunner().invoke(main, ["data", "fraud", "--json", "-"])
    told = json.loads(result.stdout)["dataset"]
    assert told["classes"] == {"legitimate": 49750, "fraud": 250}


def test_an_unknown_set_is_one_clear_message() -> None:
    result = CliRunner().invoke(main, ["data", "froud"])
    assert result.exit_code == 2
    assert result.output == "dlquiz: no data set 'froud': did you mean fraud?\n"


def test_the_verb_explains_itself_with_examples() -> None:
    assert "  dlquiz data fraud" in CliRunner().invoke(main, ["data", "--help"]).output
    assert "  dlquiz data fraud" in CliRunner().invoke(main, ["--help"]).output
