"""Align two slides and keep a record of it."""

from napari_histreg.records.record import Outcome, Registration, SlideRecord, Step
from napari_histreg.registration.register import register

__all__ = ["Outcome", "Registration", "SlideRecord", "Step", "register"]
