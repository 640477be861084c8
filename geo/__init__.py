"""The ground: where things are, how long it takes between them, how they look on a map."""
