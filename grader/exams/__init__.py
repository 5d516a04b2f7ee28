"""Exams of quiz items: a paper for each student, marks of what is handed in, and what the items are worth."""
