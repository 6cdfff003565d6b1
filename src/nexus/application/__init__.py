"""The use cases, one file per verb, and the ports through which they reach the world."""
