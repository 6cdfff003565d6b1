"""What companies buy."""
