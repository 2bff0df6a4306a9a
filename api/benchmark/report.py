"""The figures of a benchmark as lines and as a chart."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

from engine.exceptions import StorageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DIRECTIONS = {"text_to_images": "text -> photos", "image_to_sentences": "photo -> sentences"}


def lines(figures: dict[str, Any]) -> list[str]:
    """Return the figures as lines for a person."""
    score = figures["score"]
    out = [
        f"{figures['source']}; D = {figures['dimension']}, score {score['directions']}, {score['reduction']}; "
        f"{figures['cores']} cores, {figures['threads']} threads, device {figures['device']}, memory read at "
        f"{figures['memory_gb_per_second']} GB/s"
    ]
    for size in figures["sizes"]:
        for name, title in DIRECTIONS.items():
            out += ["", *_direction(title, size[name])]
        if "peers" in size:
            out += ["", *peer_lines(size)]
    return out


def _direction(title: str, part: dict[str, Any]) -> list[str]:
    return [
        f"{title}: {part['items']:,} items, {part['fragments']:,} fragments, {part['queries']} queries of about "
        f"{part['query_vectors_median']:g} vectors",
        f"built in {part['build_seconds']} s with {part['build_peak_mb']:,.0f} MB at most; bytes an item: "
        f"{part['memory_bytes_per_item']:,} in memory, {part['disk_bytes_per_item']:,} on disk; "
        f"{part['changed_items']:,} more in {part['add_seconds']} s, fewer in {part['delete_seconds']} s",
        *(
            f"a filter that keeps {row['kept']:.2%}: {row['p50_ms']:.1f} ms, {row['hits']} hits or more"
            for row in part["filtered"]
        ),
        "effort    clients   p50 ms   p99 ms    per s   @10     @100    resident MB   floor ms   times floor",
        *(
            f"{row['effort']:10}{row['clients']:7}{row['p50_ms']:9.1f}{row['p99_ms']:9.1f}"
            f"{row['queries_per_second']:9.1f}{row['recall_at_10']:8.3f}{row['recall_at_100']:8.3f}"
            f"{row['resident_mb']:12.0f}{row['floor_ms']:11.2f}{row['times_floor']:14.0f}"
            for row in part["settings"]
        ),
    ]


def peer_lines(size: dict[str, Any]) -> list[str]:
    """Return the figures of the peers at one size as lines."""
    out = [
        f"{size['images']:,} photos of unit vectors, asked by text, by words alone",
        "engine                             p50 ms   p99 ms   @10    built in s   disk MB   resident MB",
    ]
    for row in size["peers"]:
        if row["failure"]:
            out.append(f"{row['peer']:33}did not run: {row['failure']}")
        else:
            out.append(
                f"{row['peer']:33}{row['p50_ms']:8.1f}{row['p99_ms']:9.1f}{row['recall_at_10']:8.3f}"
                f"{row['build_seconds']:11.1f}{row['disk_mb']:10.0f}{row['resident_mb']:14.0f}"
            )
    return out


def plot(figures: dict[str, Any], path: Path) -> None:
    """Draw a row for each direction into a PNG file: recall against latency at the largest size, and growth.

    Raises:
        StorageError: the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 8), layout="constrained")
    FigureCanvasAgg(figure)
    for (recall, growth), (name, title) in zip(figure.subplots(2, 2), DIRECTIONS.items(), strict=True):
        largest = figures["sizes"][-1][name]
        _draw_recall(recall, largest)
        recall.set_title(f"{title}, {largest['items']:,} items")
        _draw_growth(growth, [size[name] for size in figures["sizes"]])
        growth.set_title(f"{title}, growth")
    try:
        with mpl.rc_context({"savefig.dpi": 150}):
            figure.savefig(path, format="png")
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error


def _draw_recall(axes: "Axes", part: dict[str, Any]) -> None:
    rows = _alone(part)
    times = [row["p50_ms"] for row in rows]
    for hits in (10, 100):
        axes.plot(times, [row[f"recall_at_{hits}"] for row in rows], marker="o", label=f"recall@{hits}")
    for row in rows:
        axes.annotate(row["effort"], (row["p50_ms"], row["recall_at_10"]), xytext=(4, -12), textcoords="offset points")
    axes.set(xlabel="median of one search, ms", xscale="log")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")


def _draw_growth(axes: "Axes", parts: list[dict[str, Any]]) -> None:
    items = [part["items"] for part in parts]
    for rows in zip(*map(_alone, parts), strict=True):  # of one effort, size by size
        axes.plot(items, [row["p50_ms"] for row in rows], marker="o", label=rows[0]["effort"])
    axes.set(xlabel="items", ylabel="median of one search, ms", xscale="log", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")


def _alone(part: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in part["settings"] if row["clients"] == 1]
