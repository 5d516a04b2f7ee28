"""Confinement of the process that runs a student's code."""
