"""grader: grades a class with hidden tests, out of the students' reach."""

__version__ = "0.1.0"
