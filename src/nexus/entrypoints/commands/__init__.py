"""The commands, one module for each or for a family of them; heavy imports wait until one runs."""
