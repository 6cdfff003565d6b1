"""What all processes share through Redis or Valkey."""
