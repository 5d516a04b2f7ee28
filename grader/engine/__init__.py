"""Grading engines: a submission in, a result out."""
