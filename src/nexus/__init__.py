"""Nexus Family Pass: a company's benefit that parents spend on activities for their children."""

__version__ = "0.1.0"
