"""The record of a registration and its JSON."""
