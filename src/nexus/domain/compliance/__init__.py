"""What families allow us to do with what they tell us."""
