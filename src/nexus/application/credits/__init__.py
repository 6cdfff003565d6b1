"""Credits: given, expired, corrected, shown."""
