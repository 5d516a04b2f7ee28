"""Pictures that items show, one module a theme, for a terminal and as SVG."""
