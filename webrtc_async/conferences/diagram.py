"""Who hears whom, as text that other tools draw: Mermaid and Graphviz's DOT.

An arrow goes from who is heard to who hears.
"""

from collections.abc import Iterable, Iterator, Mapping

from webrtc_async.conferences.subscriptions import Hearing


def mermaid(hearings: Iterable[Hearing]) -> str:
    """Return a Mermaid flowchart of who hears whom among the listeners."""
    listed = tuple(hearings)
    ids = {each.listener: f"p{number}" for number, each in enumerate(listed)}
    lines = ["flowchart LR"]
    lines += [f'    {node}["{_for_mermaid(name)}"]' for name, node in ids.items()]
    for heard, listener, aliases in _arrows(listed, ids):
        label = f'|"{_for_mermaid(", ".join(aliases))}"|' if aliases else ""
        lines.append(f"    {ids[heard]} -->{label} {ids[listener]}")
    return "\n".join(lines) + "\n"


def dot(hearings: Iterable[Hearing]) -> str:
    """Return a DOT graph of who hears whom among the listeners."""
    listed = tuple(hearings)
    ids = {each.listener: f"p{number}" for number, each in enumerate(listed)}
    lines = ["digraph conference {", "    rankdir=LR;"]
    lines += [f"    {node} [label={_for_dot(name)}];" for name, node in ids.items()]
    for heard, listener, aliases in _arrows(listed, ids):
        label = f" [label={_for_dot(', '.join(aliases))}]" if aliases else ""
        lines.append(f"    {ids[heard]} -> {ids[listener]}{label};")
    return "\n".join([*lines, "}"]) + "\n"


def _arrows(
    hearings: tuple[Hearing, ...], present: Mapping[str, str]
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for each in hearings:
        if each.heard == "everyone":
            yield from ((name, each.listener, ()) for name in present if name != each.listener)
        else:
            yield from (
                (heard.name, each.listener, heard.stream_aliases)
                for heard in each.heard
                if heard.name in present
            )


def _for_mermaid(text: str) -> str:
    # Mermaid has no escape inside quotes but its numeric entities; all but letters, digits and
    # spaces are written so, because a name is anyone's input.
    return "".join(each if each.isalnum() or each in " -_.," else f"#{ord(each)};" for each in text)


def _for_dot(text: str) -> str:
    plain = "".join(each if each.isprintable() else " " for each in text)
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
