"""Text of other people, made safe for a terminal."""


def printable(text: str) -> str:
    """Replace the characters that a terminal would interpret as commands."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
