"""Items whose numbers are drawn anew each time they are posed, one module a theme."""
