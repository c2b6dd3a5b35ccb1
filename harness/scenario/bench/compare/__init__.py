"""Two refs compared: interleaved, in pairs, by an interval."""
