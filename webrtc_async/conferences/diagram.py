"""Subscriptions as the text of a diagram: Mermaid and Graphviz DOT.

An arrow points from a participant to its subscriber, as the media flows.
"""

from collections.abc import Iterable, Iterator, Mapping

from webrtc_async.conferences.subscriptions import SubscriptionsByName


def mermaid(subscriptions: Iterable[SubscriptionsByName]) -> str:
    """Return subscriptions as a Mermaid flowchart with a node for each subscriber."""
    listed = tuple(subscriptions)
    ids = _node_ids(listed)
    lines = ["flowchart LR"]
    lines += [f'    {node}["{_for_mermaid(name)}"]' for name, node in ids.items()]
    for source, subscriber, aliases in _arrows(listed, ids):
        label = f'|"{_for_mermaid(", ".join(aliases))}"|' if aliases else ""
        lines.append(f"    {ids[source]} -->{label} {ids[subscriber]}")
    return "\n".join(lines) + "\n"


def dot(subscriptions: Iterable[SubscriptionsByName]) -> str:
    """Return subscriptions as a DOT graph with a node for each subscriber."""
    listed = tuple(subscriptions)
    ids = _node_ids(listed)
    lines = ["digraph conference {", "    rankdir=LR;"]
    lines += [f"    {node} [label={_for_dot(name)}];" for name, node in ids.items()]
    for source, subscriber, aliases in _arrows(listed, ids):
        label = f" [label={_for_dot(', '.join(aliases))}]" if aliases else ""
        lines.append(f"    {ids[source]} -> {ids[subscriber]}{label};")
    return "\n".join([*lines, "}"]) + "\n"


def _node_ids(subscriptions: tuple[SubscriptionsByName, ...]) -> dict[str, str]:
    return {each.subscriber: f"p{number}" for number, each in enumerate(subscriptions)}


def _arrows(
    subscriptions: tuple[SubscriptionsByName, ...], present: Mapping[str, str]
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for each in subscriptions:
        if each.subscribed_to == "everyone":
            yield from ((name, each.subscriber, ()) for name in present if name != each.subscriber)
        else:
            yield from (
                (source.name, each.subscriber, source.stream_aliases)
                for source in each.subscribed_to
                if source.name in present
            )


def _for_mermaid(text: str) -> str:
    # Names are untrusted input. Inside quotes Mermaid has no escape but numeric entities, so
    # everything that is not a letter, digit or space is written as one.
    return "".join(each if each.isalnum() or each in " -_.," else f"#{ord(each)};" for each in text)


def _for_dot(text: str) -> str:
    plain = "".join(each if each.isprintable() else " " for each in text)
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
