"""The ways in: HTTP, worker and command line, wired to the use cases in one place."""
