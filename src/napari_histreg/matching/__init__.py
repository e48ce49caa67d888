"""How well two pictures match, and where."""
