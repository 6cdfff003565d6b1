"""The ports carried out, by technology."""
