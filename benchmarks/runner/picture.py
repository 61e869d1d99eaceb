"""Draws benchmarks/results.svg from benchmarks/results.json with matplotlib; run by the Python that has it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402

# Workload, peer, what the README calls them. The key lacks the scheme.
ROWS = (
    ("c-one", "curl-kept", "C, one at a time\nbeside curl_easy"),
    ("c-32", "curl-multi", "C, 32 in flight\nbeside curl_multi"),
    ("c-32", "go-nethttp", "C, 32 in flight\nbeside Go net/http"),
    ("asyncio-32", "asyncio-aiohttp", "asyncio, 32 in flight\nbeside aiohttp"),
    ("python-one", "python-urllib3", "Python, one at a time\nbeside urllib3"),
    ("python-one", "python-session", "Python, one at a time\nbeside requests.Session"),
    ("python-one", "python-guide", "Python, one at a time\nbeside Hanko's guide"),
)
COLORS = {"http": "#4c78a8", "https": "#f58518"}
NAMES = {"http": "HTTP", "https": "TLS"}


def draw(results: Path, picture: Path) -> None:
    measured = json.loads(results.read_text())
    ratios = {
        (workload_key(each["workload"]), beside["program"]): beside["ratio"]
        for each in measured["measurements"]
        for beside in each["peers"]
    }
    # The same picture for the same figures, byte for byte.
    pyplot.rcParams.update({"svg.hashsalt": "libhanko", "font.family": "sans-serif", "font.size": 10})
    figure, axes = pyplot.subplots(figsize=(8, 5.2))
    for offset, scheme in ((0.2, "http"), (-0.2, "https")):
        for place, (workload, peer, _) in enumerate(reversed(ROWS)):
            ratio = ratios.get((f"{workload}-{scheme}", peer))
            if ratio is None:
                continue
            middle, low, high = ratio["median"], ratio["low"], ratio["high"]
            # From 1 on, to the right where libhanko is faster.
            axes.barh(place + offset, middle - 1, 0.36, left=1, color=COLORS[scheme], label=NAMES[scheme])
            axes.errorbar(middle, place + offset, xerr=[[middle - low], [high - middle]], color="#444444", capsize=2)
            text = f"{middle:.0f} ×" if middle >= 20 else f"{middle:.1f} ×" if middle >= 5 else f"{middle:.2f} ×"
            # Beside the bar where libhanko is slower, too.
            axes.annotate(text, (max(high, 1), place + offset), (4, 0), textcoords="offset points", va="center", fontsize=9)
    axes.set_xscale("log")
    keys = {(f"{workload}-{scheme}", peer) for workload, peer, _ in ROWS for scheme in NAMES}
    shown = [ratio for key, ratio in ratios.items() if key in keys]
    lowest = min(0.5, min(ratio["low"] for ratio in shown))
    highest = max(ratio["high"] for ratio in shown)
    ticks = (0.2, 0.5, 1, 2, 4, 10, 20, 40, 100, 200, 400, 1000)
    axes.set_xlim(lowest / 1.2, highest * 2.5)
    axes.set_xticks([tick for tick in ticks if lowest / 1.2 < tick < highest * 2.5])
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} ×")
    axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    axes.axvline(1, color="#444444", linewidth=1)
    axes.set_yticks(range(len(ROWS)), [name for _, _, name in reversed(ROWS)])
    axes.set_xlabel("validations per second, libhanko : other (logarithmic); bars: median, whiskers: all rounds")
    axes.spines[["top", "right"]].set_visible(False)
    handles = dict(zip(*reversed(axes.get_legend_handles_labels())))
    axes.legend(handles.values(), handles.keys(), loc="upper right", frameon=False)
    figure.savefig(picture, metadata={"Date": None}, bbox_inches="tight")


def workload_key(workload: dict[str, object]) -> str:
    """As Workload.key, for what the picture shows."""
    if workload["delay"] or workload["connections"] or workload["ours"] == "hanko-threads":
        return ""
    many = "one" if workload["in_flight"] == 1 else workload["in_flight"]
    return f"{str(workload['language']).lower()}-{many}-{workload['scheme']}"


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
