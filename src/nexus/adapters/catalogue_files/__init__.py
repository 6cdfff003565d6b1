"""Other publishers' files: how they are opened, and the profiles that say what is in them."""
