"""What may go to a terminal of text that others wrote."""


def printable(text: str) -> str:
    """Return text without what a terminal would take for a command."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
