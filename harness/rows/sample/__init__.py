"""One value at a time, for every type: the raw material of pools."""
