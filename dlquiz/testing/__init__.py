"""The pytest plugin that public and hidden suites are written for."""
