"""What goes wrong with an exam, said so that it can be put right."""

from __future__ import annotations


class ExamError(ValueError):
    """An exam that cannot be made, read or graded; the message names it and says what to do."""
