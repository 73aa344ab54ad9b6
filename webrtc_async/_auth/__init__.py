"""Credentials: Basic, bearer, OAuth2, and their secrets."""
