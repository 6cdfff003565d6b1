"""The routes, one module for each resource; each module lists its own as ``HANDLERS``."""
