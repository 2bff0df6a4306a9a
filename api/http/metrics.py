"""What the service says of itself to Prometheus. Each service has a registry of its own."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.http.work import WorkQueue
from engine.catalogue import Catalogue

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
TEXTS = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Counts what the service does.

    Args:
        model_hash: names the model.
    """

    def __init__(self, model_hash: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        Info("dvsa_model", "The model that answers.", registry=self.registry).info({"hash": model_hash})
        self._requests = Counter(
            "dvsa_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "dvsa_request_seconds", "Time to the end of an answer.", ("route",), buckets=SECONDS, registry=self.registry
        )
        self.texts_of_pass = Histogram(
            "dvsa_texts_of_pass", "Texts that shared a forward pass.", buckets=TEXTS, registry=self.registry
        )

    def watch(self, catalogue: Catalogue, queues: Mapping[str, WorkQueue]) -> None:
        """Have the sizes of collections and the lengths of queues read whenever they are asked for."""
        self.registry.register(_Collections(catalogue))
        gauge = Gauge("dvsa_requests_in_queue", "Requests that run or wait.", ("queue",), registry=self.registry)
        for name, queue in queues.items():
            gauge.labels(name).set_function(lambda watched=queue: watched.taken)  # type: ignore[misc]

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request. A route is the template of its path, so that there are few."""
        self._requests.labels(method if method in METHODS else "other", route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self.registry)


class _Collections(Collector):
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand: what is registered is not read."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Read the sizes of the collections."""
        photos = GaugeMetricFamily("dvsa_photos", "Photos of a collection.", labels=("collection",))
        sentences = GaugeMetricFamily("dvsa_sentences", "Sentences of a collection.", labels=("collection",))
        for info in self._catalogue.collections():
            photos.add_metric((info.name,), info.photos)
            sentences.add_metric((info.name,), info.sentences)
        return [photos, sentences]
