"""Practise the theory of the course: a bank of items, how one is posed, and how an answer is marked."""
