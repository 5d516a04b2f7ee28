"""Read what students hand in: a folder, a `.py`, a `.zip` or an `.ipynb`, each of them possibly hostile.

Nothing here runs, imports or unpacks to disk anything of a student's. Whatever a student does to an entry
ends as a `Submission` whose `problems` say what is wrong and how to put it right.
"""

from grader.submission.classroom import ClassError, class_entries, read_class
from grader.submission.model import Submission
from grader.submission.read import read

__all__ = ["ClassError", "Submission", "class_entries", "read", "read_class"]
