"""``python -m nexus`` is the command ``nexus``."""

from nexus.entrypoints.cli import main

if __name__ == "__main__":
    main(prog_name="nexus")
