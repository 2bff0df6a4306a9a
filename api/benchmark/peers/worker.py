"""One engine in a process of its own; needs numpy and that engine, nothing of this program (but for its own engine).

    python worker.py build NAME DATA FOLDER     make its index of the vectors in DATA; the seconds go to stdout
    python worker.py serve NAME DATA FOLDER     answer line by line: a query's number in, its hits and seconds out

DATA holds vectors.npy (float32 (N, D), unit length), offsets.npy (int64 (I + 1,)), queries.npy and query_offsets.npy;
hits are places of items. NAME is a module beside this file, `module:setting` where it has settings.
"""

import gc
import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

HITS = 10


class Engine(Protocol):
    """What a module's `Engine` does; made of a folder that its `build` filled."""

    def search(self, query: npt.NDArray[np.float32], k: int) -> list[int]:
        """The places of the k best items by sum over the query's vectors of the best stored one, best first."""
        ...


def load(data: Path, name: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Return the vectors, mapped, and offsets of "" or "query_"."""
    vectors = np.load(data / ("queries.npy" if name else "vectors.npy"), mmap_mode="r")
    return vectors, np.load(data / f"{name}offsets.npy")


def module_of(name: str) -> tuple[Any, dict[str, str]]:
    """Import a peer's module; return it and its setting."""
    module, _, setting = name.partition(":")
    return import_module(module), {"setting": setting} if setting else {}


def build(name: str, data: Path, folder: Path) -> dict[str, float]:
    """Make an engine's index; what it is made of is read before the clock starts."""
    module, _ = module_of(name)
    vectors, offsets = load(data, "")
    folder.mkdir(parents=True)
    held = np.array(vectors)
    began = time.perf_counter()
    module.build(held, offsets, folder)
    return {"seconds": time.perf_counter() - began}


def serve(name: str, data: Path, folder: Path) -> None:
    """Answer until stdin ends."""
    module, setting = module_of(name)
    vectors, offsets = load(data, "")
    engine: Engine = module.Engine(vectors, offsets, folder, **setting)
    del vectors
    gc.collect()
    queries, bounds = load(data, "query_")
    say({"ready": True})
    for line in sys.stdin:
        number = int(line)
        query = np.array(queries[bounds[number] : bounds[number + 1]])
        began = time.perf_counter()
        hits = engine.search(query, HITS)
        say({"seconds": time.perf_counter() - began, "hits": hits, "resident_mb": resident_mb()})


def resident_mb() -> float:
    """Return the memory of this process, the files' pages that it touched included."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return int(fields["VmRSS"].split()[0]) / 1024


def say(answer: dict[str, Any]) -> None:
    """Give an answer to whoever started this."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    what, engine_name, *places = sys.argv[1:]
    if what == "build":
        say(build(engine_name, *map(Path, places)))
    else:
        serve(engine_name, *map(Path, places))
