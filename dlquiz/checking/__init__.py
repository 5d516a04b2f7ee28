"""Checking a student's folder: the public tests in a process of their own, and the forbidden names in the source."""
