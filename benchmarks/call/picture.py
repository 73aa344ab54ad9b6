"""The picture of what a call costs as tasks grow."""

from collections.abc import Mapping

from benchmarks.report import HERE, commit


def draw(costs: Mapping[str, Mapping[int, float]]) -> None:
    """Keep a picture of microseconds by client and number of tasks."""
    import matplotlib as mpl

    mpl.use("svg")
    # Text stays text, and the same numbers give the same file.
    mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "call", "font.family": "sans-serif"}
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for name, by_tasks in costs.items():
        is_ours = name.startswith("webrtc_async")
        axes.plot(
            list(by_tasks), list(by_tasks.values()), marker="o", label=name,
            linewidth=2.5 if is_ours else 1.2, linestyle="-" if is_ours else "--",
        )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="tasks", ylabel="CPU time of a create, µs")
    tasks = sorted({each for by_tasks in costs.values() for each in by_tasks})
    axes.set_xticks(tasks, [f"{each:,}" for each in tasks])
    axes.set_xticks([], minor=True)
    axes.set_yticks([50, 100, 200, 500, 1000, 2000, 5000])
    axes.set_yticks([], minor=True)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.grid(visible=True, linewidth=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", frameon=False)
    axes.set_title(f"CPU time of a create, at commit {commit()}", fontsize="medium")
    figure.savefig(HERE / "call.svg", metadata={"Date": None})
    pyplot.close(figure)
