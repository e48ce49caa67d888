"""Learned registration: trained on the user's own pairs, applied without a framework, judged by blocks."""
