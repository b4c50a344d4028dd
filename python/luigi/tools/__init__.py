"""What is built on tasks rather than needed for them: ranges of dates, and commands that look at a graph."""
