"""What is called on loopback: each a process of its own, pinned, that ends with its caller."""
