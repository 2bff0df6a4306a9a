"""The charts of the report, each drawn for light and for dark paper."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from api.evaluation_report.breakdown import Share

WIDTH = 5.6  # inches; at 150 points an inch twice the page's column, sharp on dense screens
DOTS = 150
CURVE = 100  # ranks of the recall curves
TICKS = (1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True)
class Paper:
    """Colours of a chart."""

    ground: str
    ink: str
    pale: str
    rule: str
    first: str
    second: str
    third: str


LIGHT = Paper("#ffffff", "#1c2026", "#5c6470", "#dfe3e8", "#146ec8", "#c2410c", "#6d3fa0")
DARK = Paper("#181b20", "#e8eaed", "#a5adb8", "#3a4048", "#6cb2ff", "#ff9a5c", "#c4a0f0")


@dataclass(frozen=True)
class Chart:
    """A chart as PNG files.

    Attributes:
        name: of the file, without .png.
        alt: what it shows, for who does not see it.
        light, dark: the file for either paper.
    """

    name: str
    alt: str
    light: bytes
    dark: bytes


@dataclass(frozen=True)
class Curve:
    """A line of a recall chart.

    Attributes:
        name: in the legend.
        ranks: of the queries, int64 (N,).
        chance: R@1 to R@K of an order at random, percent, float64 (K,).
    """

    name: str
    ranks: npt.NDArray[np.int64]
    chance: npt.NDArray[np.float64]


def recall_chart(curves: Sequence[Curve], alt: str) -> Chart:
    """Draw R@K over K up to 100, with what chance would reach."""

    def draw(axes: Axes, paper: Paper) -> None:
        for curve, colour, marker in zip(curves, (paper.first, paper.second), ("o", "s"), strict=True):
            k = np.arange(1, len(curve.chance) + 1)
            found = [100.0 * float((curve.ranks <= rank).mean()) for rank in k]
            marked = [rank - 1 for rank in TICKS if rank <= len(k)]
            axes.plot(k, found, color=colour, marker=marker, markevery=marked, label=curve.name)
            axes.plot(k, curve.chance, color=colour, linestyle=":", label=f"{curve.name}, at random")
        axes.set_xscale("log")
        ticks = [tick for tick in TICKS if tick <= max(len(curve.chance) for curve in curves)]
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set(xlabel="K, the first answers looked at", ylabel="queries found, %", ylim=(0, 100))
        axes.figure.legend(loc="outside upper left", ncols=2, fontsize="small", frameon=False)

    return _chart("recall", alt, 3.9, draw)


Groups = Sequence[tuple[str, Sequence[Share]]]


def share_chart(name: str, groups: Groups, alt: str, whole: float | None = None) -> Chart:
    """Draw shares as points from top to bottom, each with its 95 % interval and its number of queries.

    Args:
        name: of the file.
        groups: a name and a row of shares each, the same names in each: points of one name stand together.
        alt: what it shows.
        whole: a line at the share of all queries, percent.
    """
    names = [f"{share.name} ({share.total:,})" for share in groups[0][1]]
    apart = 0.6 / len(groups)

    def draw(axes: Axes, paper: Paper) -> None:
        styles = zip((paper.first, paper.second, paper.third), "osD", strict=True)
        for number, ((legend, shares), (colour, marker)) in enumerate(zip(groups, styles, strict=False)):
            y = np.arange(len(names)) + (number - (len(groups) - 1) / 2) * apart
            low, high = np.array([share.interval for share in shares]).T
            percent = np.array([share.percent for share in shares])
            spread = np.maximum(np.stack([percent - low, high - percent]), 0)
            axes.errorbar(percent, y, xerr=spread, fmt=marker, color=colour, markersize=6, elinewidth=1.8, label=legend)
        if whole is not None:
            axes.axvline(whole, color=paper.ink, linestyle="--", linewidth=1)
            above = axes.get_xaxis_transform()
            axes.text(whole, 1.01, f"all {whole:.0f} %", transform=above, fontsize="small", ha="center", va="bottom")
        axes.set_yticks(range(len(names)), names)
        axes.set(xlabel="found, %", xlim=(0, 100), ylim=(len(names) - 0.4, -0.6))
        if len(groups) > 1:
            axes.figure.legend(loc="outside upper left", ncols=3, fontsize="small", frameon=False)

    return _chart(name, alt, 1.0 + len(names) * (0.24 if len(groups) == 1 else 0.42), draw)


def _chart(name: str, alt: str, height: float, draw: Callable[[Axes, Paper], None]) -> Chart:
    return Chart(name, alt, _png(height, draw, LIGHT), _png(height, draw, DARK))


def _png(height: float, draw: Callable[[Axes, Paper], None], paper: Paper) -> bytes:
    settings: dict[Any, Any] = {  # matplotlib types its keys one by one
        "figure.facecolor": paper.ground,
        "axes.facecolor": paper.ground,
        "axes.edgecolor": paper.rule,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.color": paper.rule,
        "text.color": paper.ink,
        "axes.labelcolor": paper.ink,
        "xtick.color": paper.ink,
        "ytick.color": paper.ink,
        "font.size": 10,
        "lines.markersize": 4.5,
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure.subplots(), paper)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=DOTS)
    return buffer.getvalue()
