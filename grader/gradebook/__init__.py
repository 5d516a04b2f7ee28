"""Results in a database: SQLite by default, any SQLAlchemy URL."""

from grader.gradebook.book import SCHEMA_VERSION, Entry, Gradebook
from grader.gradebook.errors import GradebookError

__all__ = ["SCHEMA_VERSION", "Entry", "Gradebook", "GradebookError"]
