"""Booking, cancelling, waiting: the verbs of families and venues around a seat."""
