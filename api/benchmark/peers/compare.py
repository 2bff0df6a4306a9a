"""Peers and this program's index on the same vectors and queries, query by query in turn."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from api.benchmark.peers import worker
from api.benchmark.peers.environments import Peer, PeerMissing, interpreter
from engine.fragments import Fragments, ScoreTerms
from engine.manifest import FORMAT
from engine.scoring import exact_scores, top_k
from indexer.report import Progress

WORDS = ScoreTerms(query=True, stored=False, reduction="sum")  # all that the peers can do
ROUNDS = 3  # times that every query is asked; the first warms up


@dataclass
class Compared:
    """What was measured of one engine; `failure` alone where it did not run.

    Attributes:
        peer: its name.
        build_seconds: to make its index of vectors in memory.
        disk_mb: its files.
        p50_ms, p99_ms: of one query, milliseconds.
        recall_at_10: the part of the exact ten best that it found.
        resident_mb: memory of its process at the end.
        failure: why it did not run.
    """

    peer: str
    build_seconds: float | None = None
    disk_mb: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    recall_at_10: float | None = None
    resident_mb: float | None = None
    failure: str | None = None


class _Process:
    """A peer that answers queries by number."""

    def __init__(self, peer: Peer, python: Path, data: Path, folder: Path) -> None:
        self._errors = (folder.parent / f"{folder.name}.log").open("w+")
        command = [str(python), worker.__file__, "serve", peer.module, str(data), str(folder)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        self._answer()

    def ask(self, number: int) -> dict[str, Any]:
        assert self._process.stdin is not None, "it was opened as a pipe"
        try:
            self._process.stdin.write(f"{number}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer says why
        return self._answer()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None, "it was opened as a pipe"
        for line in self._process.stdout:
            if line.startswith("{"):  # some engines print
                answer: dict[str, Any] = json.loads(line)
                return answer
        self._errors.seek(0)
        raise PeerMissing(_reason(self._errors.read()))


@dataclass
class _Measured:
    figures: Compared
    process: _Process
    seconds: list[float] = field(default_factory=list)
    recalls: list[float] = field(default_factory=list)


def compare(
    stored: Fragments,
    queries: Sequence[npt.NDArray[np.float32]],
    peers: Sequence[Peer],
    folder: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Build every peer's index, then ask each query of all of them in turn.

    Args:
        stored: items; their vectors are brought to unit length, as some peers do it themselves.
        queries: float32 (Q, D) each; likewise.
        peers: what to compare.
        folder: for environments and indexes; what is there already is taken.
        progress: told how far it is.

    Returns:
        `Compared` of each as JSON values, in the order of `peers`.
    """
    data = folder / f"{len(stored)} items"
    asked = [_unit(query) for query in queries]
    best = write_data(stored, asked, data)
    figures = [Compared(peer.title) for peer in peers]
    with ExitStack() as stack:
        running = []
        for number, (peer, one) in enumerate(zip(peers, figures, strict=True)):
            progress("build peers", number, len(peers))
            try:
                process = _started(peer, one, data, folder)
            except PeerMissing as error:
                one.failure = str(error)
                continue
            stack.callback(process.close)
            running.append(_Measured(one, process))
        progress("build peers", len(peers), len(peers))
        _ask_all(running, best, progress)
    return [asdict(one) for one in figures]


def write_data(stored: Fragments, queries: Sequence[npt.NDArray[np.float32]], data: Path) -> list[list[int]]:
    """Write what the workers read, as far as it is not there yet; return the places of each query's exact ten best.

    What is there of other items, indexes included, is deleted.
    """
    best, asked = data / "best.json", np.concatenate(queries)
    if not _holds(data, stored):
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True)
        np.save(data / "vectors.npy", _unit(stored.vectors))
        np.save(data / "offsets.npy", stored.offsets)
    if not best.exists() or not np.array_equal(np.load(data / "queries.npy"), asked):
        best.unlink(missing_ok=True)  # so that hits of former queries are not taken for these if this is cut off
        np.save(data / "queries.npy", asked)
        np.save(data / "query_offsets.npy", np.cumsum([0, *map(len, queries)]))
        items = Fragments(np.arange(len(stored)), stored.offsets, np.load(data / "vectors.npy"))
        hits = [top_k(exact_scores(query, items, WORDS), items.ids, worker.HITS)[0].tolist() for query in queries]
        best.write_text(json.dumps(hits))
    found: list[list[int]] = json.loads(best.read_text())
    return found


def _holds(data: Path, stored: Fragments) -> bool:
    if not (data / "offsets.npy").exists():
        return False
    some = stored.vectors[:100]
    offsets, vectors = np.load(data / "offsets.npy"), np.load(data / "vectors.npy", mmap_mode="r")
    return np.array_equal(offsets, stored.offsets) and np.array_equal(vectors[: len(some)], _unit(some))


def _started(peer: Peer, figures: Compared, data: Path, folder: Path) -> _Process:
    """Install, build and start a peer, as far as that is not done yet."""
    python = interpreter(peer, folder / "environments")
    name = peer.module.partition(":")[0]
    if not peer.packages:  # this program's own, of whose formats each has its place
        name = f"{name} {FORMAT}"
    index, built = data / name, data / f"{name}.json"
    if not built.exists():
        shutil.rmtree(index, ignore_errors=True)
        command = [str(python), worker.__file__, "build", peer.module, str(data), str(index)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise PeerMissing(_reason(done.stderr))
        built.write_text(done.stdout.splitlines()[-1])
    figures.build_seconds = round(json.loads(built.read_text())["seconds"], 2)
    figures.disk_mb = round(sum(file.stat().st_size for file in index.rglob("*") if file.is_file()) / 2**20, 1)
    return _Process(peer, python, data, index)


def _ask_all(running: Sequence[_Measured], best: Sequence[list[int]], progress: Progress) -> None:
    for turn in range(ROUNDS * len(best)):
        number = turn % len(best)
        for one in running:
            if one.figures.failure is None:
                try:
                    _note(one, one.process.ask(number), best[number], warm=turn >= len(best))
                except PeerMissing as error:
                    one.figures.failure = str(error)
        progress("ask peers", turn + 1, ROUNDS * len(best))
    for one in running:
        if one.figures.failure is None:
            one.figures.p50_ms = round(float(np.median(one.seconds)) * 1e3, 2)
            one.figures.p99_ms = round(float(np.quantile(one.seconds, 0.99)) * 1e3, 2)
            one.figures.recall_at_10 = round(float(np.mean(one.recalls)), 4)


def _note(one: _Measured, answer: dict[str, Any], best: list[int], warm: bool) -> None:
    one.recalls.append(len(set(best) & set(answer["hits"])) / len(best))
    one.figures.resident_mb = round(answer["resident_mb"], 1)
    if warm:
        one.seconds.append(answer["seconds"])


def _unit(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: npt.NDArray[np.float32] = (vectors / np.maximum(lengths, np.finfo(np.float32).tiny)).astype(np.float32)
    return unit


def _reason(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return lines[-1] if lines else "it ended without a word"
