"""Credentials: basic, bearer, OAuth2, and where they are read from."""
