"""The consultation pack: what is told to the public, and in which form."""
