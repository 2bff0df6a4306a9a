"""The figures of a benchmark as lines and as a chart."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

from engine.exceptions import StorageError

DIRECTIONS = {"text_to_images": "text -> photos", "image_to_sentences": "photo -> sentences"}


def lines(figures: dict[str, Any]) -> list[str]:
    """Return the figures as lines for a person."""
    out = [
        f"{figures['source']}; D = {figures['dimension']}, {figures['cores']} cores, {figures['threads']} threads, "
        f"memory read at {figures['memory_gb_per_second']} GB/s"
    ]
    for name, title in DIRECTIONS.items():
        part = figures[name]
        out += [
            "",
            f"{title}: {part['items']:,} items, {part['fragments']:,} fragments, {part['queries']} queries of about "
            f"{part['query_vectors_median']:g} vectors",
            f"built in {part['build_seconds']} s; bytes an item: {part['memory_bytes_per_item']:,} in memory, "
            f"{part['disk_bytes_per_item']:,} on disk",
            "effort    clients   p50 ms   p99 ms    per s   @10     @100    resident MB   floor ms",
        ]
        out += [
            f"{row['effort']:10}{row['clients']:7}{row['p50_ms']:9.1f}{row['p99_ms']:9.1f}"
            f"{row['queries_per_second']:9.1f}{row['recall_at_10']:8.3f}{row['recall_at_100']:8.3f}"
            f"{row['resident_mb']:12.0f}{row['floor_ms']:11.2f}"
            for row in part["settings"]
        ]
    return out


def plot(figures: dict[str, Any], path: Path) -> None:
    """Draw recall against latency of one client, a panel for each direction, into a PNG file.

    Raises:
        StorageError: the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (name, title) in zip(figure.subplots(1, 2, sharey=True), DIRECTIONS.items(), strict=True):
        rows = [row for row in figures[name]["settings"] if row["clients"] == 1]
        times = [row["p50_ms"] for row in rows]
        for hits in (10, 100):
            axes.plot(times, [row[f"recall_at_{hits}"] for row in rows], marker="o", label=f"recall@{hits}")
        for row in rows:
            axes.annotate(
                row["effort"], (row["p50_ms"], row["recall_at_10"]), xytext=(4, -12), textcoords="offset points"
            )
        axes.set(title=f"{title}, {figures[name]['items']:,} items", xlabel="median of one search, ms", xscale="log")
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right")
    try:
        with mpl.rc_context({"savefig.dpi": 150}):
            figure.savefig(path, format="png")
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error
