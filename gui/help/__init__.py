"""Help in the app: guide, lessons, glossary, and a report of a problem."""
