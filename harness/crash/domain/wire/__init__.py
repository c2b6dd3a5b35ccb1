"""Every message between runner and server."""
