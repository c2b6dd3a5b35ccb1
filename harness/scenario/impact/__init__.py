"""The impact of a migration on what names its schema: rewritten, and proven on two clones."""
