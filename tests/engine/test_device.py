"""The processor and the GPU: which is chosen, and that both give the same."""

from pathlib import Path

import faiss
import numpy as np
import pytest
import torch

from engine import faiss_index
from engine.centroids import nearest_index, train_centroids
from engine.device import CPU, best_in_each, choose_device, sum_of_each
from engine.exceptions import NoDevice
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import Fragments, ScoreTerms
from engine.ranking import best_items
from engine.resources import Resources

D = 16
GPU_THERE = faiss.get_num_gpus() > 0 and torch.cuda.is_available()
DEVICES = [
    pytest.param(CPU, id="cpu"),
    pytest.param(
        torch.device("cuda"), id="cuda", marks=[pytest.mark.gpu, pytest.mark.skipif(not GPU_THERE, reason="no GPU")]
    ),
]


def clustered(count: int, centres: int = 300) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    random = np.random.default_rng(0)
    middles = random.standard_normal((centres, D)).astype(np.float32)
    noise = 0.2 * random.standard_normal((count, D)).astype(np.float32)
    return middles[random.integers(0, centres, count)] + noise


def test_auto_is_the_gpu_where_there_is_one_and_cuda_is_refused_where_there_is_none() -> None:
    assert choose_device("cpu") == CPU
    assert choose_device("auto").type == ("cuda" if GPU_THERE else "cpu")
    if not GPU_THERE:
        with pytest.raises(NoDevice, match="no GPU was found"):
            choose_device("cuda")


@pytest.mark.parametrize("device", DEVICES)
def test_runs_are_reduced_as_by_a_loop(device: torch.device) -> None:
    products = torch.randn(10, 3, generator=torch.Generator().manual_seed(0))
    starts, bounds = np.array([0, 1, 5]), [(0, 1), (1, 5), (5, 10)]
    best = best_in_each(products.to(device), starts).cpu()
    assert torch.equal(best, torch.stack([products[first:last].amax(0) for first, last in bounds]))
    sums = sum_of_each(products[:, 0].to(device), starts).cpu()
    torch.testing.assert_close(sums, torch.stack([products[first:last, 0].sum() for first, last in bounds]))


@pytest.mark.parametrize("device", DEVICES)
def test_centroids_in_groups_are_about_as_near_as_plain_ones(device: torch.device) -> None:
    vectors, count = clustered(60_000), 1500
    centroids = train_centroids(vectors, count, device)
    assert centroids.shape == (count, D)
    plain = faiss.Kmeans(D, count, niter=10, seed=1)
    plain.train(vectors)
    distances, nearest = nearest_index(centroids, device).search(vectors, 1)
    assert distances.mean() < 1.1 * plain.index.search(vectors, 1)[0].mean()
    exact = faiss.IndexFlatL2(D)
    exact.add(centroids)
    assert (exact.search(vectors, 1)[1] == nearest).mean() > 0.9


def test_the_same_sample_gives_the_same_centroids() -> None:
    vectors = clustered(50_000)
    np.testing.assert_array_equal(train_centroids(vectors, 1200, CPU), train_centroids(vectors, 1200, CPU))


class _ByTorch(Resources):
    """The loops that a GPU takes, wherever they run."""

    compiled = False


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    "terms",
    [ScoreTerms(True, False, "sum"), ScoreTerms(False, True, "sum"), ScoreTerms(True, True, "mean")],
    ids=str,
)
def test_an_index_is_built_and_asked_on_either_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: torch.device, terms: ScoreTerms
) -> None:
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", 0)
    rows = clustered(20_000)
    items = Fragments(np.arange(4000), np.arange(0, 20_001, 5), rows)
    index = FaissFragmentIndex.create(tmp_path / "index", D, [items], _ByTorch(device))
    on_cpu = FaissFragmentIndex.open(tmp_path / "index")
    found = []
    for query in rows[:60].reshape(20, 3, D) * np.float32(1.1):
        ids, scores = best_items(index, query, terms, 10)
        same, on_cpu_scores = best_items(on_cpu, query, terms, 10)
        np.testing.assert_allclose(scores, on_cpu_scores, rtol=1e-4)
        assert len(np.intersect1d(ids, same)) >= 9
        exact = best_items(on_cpu, query, terms, 10, "exact")
        np.testing.assert_allclose(best_items(index, query, terms, 10, "exact")[1], exact[1], rtol=1e-4)
        found.append(np.isin(exact[0], ids).mean())
    assert np.mean(found) > 0.95
