"""The documents that cross a seam, typed where made and where read; one kind a file.

What lies here imports only what everybody says, so that checks and explorations may make documents
and pages may read them.
"""
