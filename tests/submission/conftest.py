"""What a student's entries are made of."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.submission import Submission, read

SUBMIT = ("normalization.py",)
GOOD = b"def normalize(x):\n    return x - x.mean()\n"


@pytest.fixture
def good() -> bytes:
    """An ordinary answer."""
    return GOOD


@pytest.fixture
def hand_in(tmp_path: Path) -> Callable[..., Submission]:
    """Write one file of a given name and content, and read it as an entry."""

    def write(name: str, content: bytes, submit: tuple[str, ...] = SUBMIT) -> Submission:
        (tmp_path / name).write_bytes(content)
        return read(tmp_path / name, submit)

    return write


@pytest.fixture
def make_zip() -> Callable[..., bytes]:
    """A zip of (name or ZipInfo, content) pairs, deflated."""

    def build(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members:
                archive.writestr(name, content)
        return buffer.getvalue()

    return build


@pytest.fixture
def make_notebook() -> Callable[..., bytes]:
    """A notebook of format 4 with the given code cells."""

    def build(*cells: str) -> bytes:
        made = [{"cell_type": "code", "source": cell, "outputs": [], "metadata": {}} for cell in cells]
        return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}).encode()

    return build
