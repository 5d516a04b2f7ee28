"""What the documents name exists: commands with their options, links, headings, files."""

from __future__ import annotations

import contextlib
import re
import shlex
from pathlib import Path

import click
import pytest

from grader.cli import main

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {
    document.relative_to(ROOT).as_posix(): document.read_text(encoding="utf-8") for document in DOCUMENTS
}

A_VERDICT = "grader error"
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FILE = re.compile(r"(?:[\w-]+/)+[\w.-]*|[\w-]+\.(?:py|md|toml|lock)")
# What a file's name is given relative to, and examples that stand for a reader's own files.
_ROOTS = (ROOT, ROOT / "tests")
_READERS_OWN = re.compile(
    r"^(OUT|out|submissions|handout|hidden|solution|variants|softmax)/|(assignment|mutants)\.toml$|(softmax|normalization)\.py$|bench/results\.md$"
)


def commands() -> list[tuple[str, str]]:
    """Every `grader ...` command, in a console's line or in the text, with its document."""
    found = []
    for name, text in TEXTS.items():
        lines = [
            line[2:] for fence in _FENCE.findall(text) for line in fence.splitlines() if line.startswith("$ ")
        ]
        lines += [code for code in _CODE.findall(_FENCE.sub("", text)) if code != A_VERDICT]
        found += [(name, line) for line in lines if line.startswith("grader ")]
    return sorted(set(found))


@pytest.mark.parametrize(("document", "line"), commands())
def test_a_command_exists_with_its_options(document: str, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    assert words[0] in main.commands, f"{document}: {line}"
    if len(words) == 1 or "..." in line:
        return
    # A command may be named by what matters about it, without its arguments.
    with contextlib.suppress(click.MissingParameter):
        parent, command = click.Context(main, **main.context_settings), main.commands[words[0]]
        while isinstance(command, click.Group) and words[1:]:
            parent, command = click.Context(command, parent=parent), command.commands[words.pop(1)]
        command.make_context(words[0], words[1:], parent=parent)


def test_the_commands_are_found() -> None:
    assert {line.split()[1] for _, line in commands()} == set(main.commands)


@pytest.mark.parametrize("document", TEXTS)
def test_a_relative_link_leads_somewhere(document: str) -> None:
    for link in _LINK.findall(_FENCE.sub("", TEXTS[document])):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / document).parent / path if path else ROOT / document
        assert target.exists(), link
        if anchor:
            headings = re.findall(
                r"^#+ (.+)$", _FENCE.sub("", target.read_text(encoding="utf-8")), re.MULTILINE
            )
            slugs = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
            assert anchor in slugs, link


@pytest.mark.parametrize("document", TEXTS)
def test_every_reference_style_link_is_defined(document: str) -> None:
    text = _FENCE.sub("", TEXTS[document])
    used = set(re.findall(r"\]\[([\w-]+)\]", text))
    assert used == set(re.findall(r"^\[([\w-]+)\]: https://\S+$", text, re.MULTILINE))


@pytest.mark.parametrize("document", TEXTS)
def test_a_file_that_is_named_exists(document: str) -> None:
    for code in _CODE.findall(_FENCE.sub("", TEXTS[document])):
        if _FILE.fullmatch(code) and not _READERS_OWN.search(code):
            assert any((root / code).exists() for root in _ROOTS), code


@pytest.mark.parametrize("document", TEXTS)
def test_a_make_target_that_is_named_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^\$ )make ([a-z]+)", TEXTS[document], re.MULTILINE)) <= targets
