"""The cattrs converters of the models, and JSON."""
