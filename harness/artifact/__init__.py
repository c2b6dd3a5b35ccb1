"""What names the schema from outside: rename map, rewriter, kinds of files, proof."""
