"""Telling people what happened, and letting them read it."""
