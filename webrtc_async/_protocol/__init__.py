"""Routes, requests and responses in the words of HTTP, without I/O."""
