"""The kinds of evidence: one file and one registration each; other packages register their own."""
