"""What is true of the pass, whatever stores or serves it: attrs and the standard library only."""
