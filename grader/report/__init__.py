"""Results for people (rich renderables) and for programs (JSON forms)."""

from grader.report.detail import result_json, show_result
from grader.report.summary import (
    Fault,
    ProblemSummary,
    Summary,
    SummaryBuilder,
    TestSummary,
    render_summary,
    summary,
)
from grader.report.table import class_json, class_table
from grader.report.text import clean, safe_text

__all__ = [
    "Fault",
    "ProblemSummary",
    "Summary",
    "SummaryBuilder",
    "TestSummary",
    "class_json",
    "class_table",
    "clean",
    "render_summary",
    "result_json",
    "safe_text",
    "show_result",
    "summary",
]
