"""Notebooks: made from an assignment, checked as they run, and read as the module that they stand for."""
