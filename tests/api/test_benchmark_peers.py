"""Peers of the benchmark: the same protocol for all, and one that cannot run is named with its reason."""

from pathlib import Path

import numpy as np
import pytest

from api.benchmark import report
from api.benchmark.made_items import MadeItems, gathered
from api.benchmark.peers.compare import compare
from api.benchmark.peers.environments import IN_PROCESS, OURS, PEERS, Peer, PeerMissing, interpreter
from engine.fragments import Fragments

D = 8


def real_items() -> Fragments:
    random = np.random.default_rng(0)
    vectors = [random.standard_normal((int(size), D)).astype(np.float32) for size in random.integers(1, 7, 30)]
    return Fragments.of(list(range(30)), vectors, D)


def quietly(stage: str, done: int, of: int) -> None:
    """Show no progress."""


def test_peers_of_this_environment_find_what_exact_search_finds(tmp_path: Path) -> None:
    stored = gathered(MadeItems(real_items()).pieces(400))
    queries = [real_items().item(number) for number in range(5)]
    peers = [OURS[1], *IN_PROCESS, Peer("one that fails", "torch_exact_not_there")]
    rows = compare(stored, queries, peers, tmp_path, quietly)
    assert [row["peer"] for row in rows] == [peer.title for peer in peers]
    for row in rows[:3]:
        assert row["failure"] is None
        assert row["recall_at_10"] == 1
        assert 0 < row["p50_ms"] <= row["p99_ms"]
        assert row["resident_mb"] > 20
        assert row["build_seconds"] >= 0 <= row["disk_mb"]
    assert "torch_exact_not_there" in rows[3]["failure"]
    assert rows[3]["p50_ms"] is None
    figures = {"images": 400, "peers": rows}
    written = report.peer_lines(figures)
    assert any("did not run: " in line and "not_there" in line for line in written)
    again = compare(stored, queries, peers[:1], tmp_path, quietly)
    assert again[0]["build_seconds"] == rows[0]["build_seconds"]  # what was built is taken


def test_a_uniform_collection_is_scored_by_torch_as_by_exact_search(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    stored = Fragments.of(range(50), list(random.standard_normal((50, 4, D)).astype(np.float32)), D)
    (row,) = compare(stored, [random.standard_normal((3, D)).astype(np.float32)], IN_PROCESS[:1], tmp_path, quietly)
    assert row["recall_at_10"] == 1


def test_a_package_that_cannot_be_installed_is_the_reason(tmp_path: Path) -> None:
    peer = Peer("nothing", "nothing_peer", ("/no/such/wheel-1.0-py3-none-any.whl",))
    with pytest.raises(PeerMissing, match="pip install failed"):
        interpreter(peer, tmp_path)


def test_every_peer_of_the_issue_is_asked() -> None:
    names = " ".join(peer.title for peer in PEERS)
    for name in ("torch brute force", "FAISS flat", "fast-plaid 1.7", "xtr-warp-rs 2.1", "Qdrant Edge", "dvsa, normal"):
        assert name in names
