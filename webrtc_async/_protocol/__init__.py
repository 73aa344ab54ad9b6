"""Routes, requests and responses in HTTP's terms, without I/O."""
