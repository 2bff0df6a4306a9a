"""Peers of the benchmark: the same protocol for all, and one that cannot run is named with its reason."""

import json
from pathlib import Path

import numpy as np
import pytest

from api.benchmark import report
from api.benchmark.made_items import MadeItems, gathered
from api.benchmark.peers.compare import _unit, compare
from api.benchmark.peers.environments import IN_PROCESS, OURS, PEERS, Peer, PeerMissing, interpreter
from engine.fragments import Fragments
from engine.manifest import FORMAT

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
    built = tmp_path / "400 items" / f"dvsa_peer {FORMAT}.json"
    built.rename(built.with_name(f"dvsa_peer {FORMAT - 1}.json"))
    other = compare(stored, queries, peers[:1], tmp_path, quietly)
    assert other[0]["failure"] is None  # an index of another format is left alone, and one is built
    assert built.exists()


def test_other_queries_and_other_items_in_the_same_folder_are_not_answered_by_what_was_there(tmp_path: Path) -> None:
    random, folder = np.random.default_rng(2), tmp_path / "peers"
    items = [Fragments.of(range(40), list(random.standard_normal((40, 3, D)).astype(np.float32)), D) for _ in range(2)]
    queries = list(random.standard_normal((4, 2, D)).astype(np.float32))
    for stored, asked in ((items[0], queries[:2]), (items[0], queries[2:]), (items[1], queries[2:])):
        (row,) = compare(stored, asked, OURS[1:2], folder, quietly)
        assert row["recall_at_10"] == 1
        best = json.loads((folder / "40 items" / "best.json").read_text())
        expected = [np.maximum.reduceat(_unit(q) @ _unit(stored.vectors).T, stored.offsets[:-1], axis=1) for q in asked]
        assert best == [np.argsort(-products.sum(0))[:10].tolist() for products in expected]


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
