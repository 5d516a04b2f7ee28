"""How fast the grader is beside a pytest process per submission, and beside a bare warm fork."""
