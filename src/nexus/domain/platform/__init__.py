"""What the platform's operators can change without a release."""
