"""A check of a tree in the forms that other programs read."""
