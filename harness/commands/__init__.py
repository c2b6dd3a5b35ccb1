"""Commands of the command line, one module each; `harness.cli` puts them together."""
