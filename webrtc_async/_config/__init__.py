"""Checks of settings, and the settings in environment variables."""
