"""Reading the audit log, and keeping its months."""
