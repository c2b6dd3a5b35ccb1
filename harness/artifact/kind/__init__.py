"""The kinds of artifacts: each recognises its files and says where the schema is named in them."""
