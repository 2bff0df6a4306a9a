"""The worker in a process of its own, and the thread that starts it again when it dies."""

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import TYPE_CHECKING, Self

from engine.settings import Settings

if TYPE_CHECKING:
    from indexer.perform import Models

NICENESS = 10  # searches go first where there are not cores for both
GRACE = 30.0  # seconds that a worker has to put its job back
LONGEST_PAUSE = 30.0  # seconds before a worker that dies at once is started again; the first pause is one second

Load = Callable[[Settings], "Models"]

_LOG = logging.getLogger(__name__)


def load_models(settings: Settings) -> "Models":
    """Load the encoder, and the captioner where there is one."""
    from api.session import open_captioner
    from engine.encoder import load_encoder
    from indexer.perform import Models

    encoder = load_encoder(settings.checkpoint, settings.weight_files)
    return Models(encoder, open_captioner(settings, encoder))


def work(settings: Settings, load: Load = load_models) -> None:
    """Do jobs until this process is told to end (SIGTERM, Ctrl-C) or the process that started it is gone.

    Raises:
        CatalogueError: the catalogue cannot be opened.
        StorageError: the folder of the collections cannot be written to.
    """
    from indexer.worker import Worker  # takes seconds, in which a signal ends the process at once

    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopping.set())
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.join, stopping), daemon=True).start()
    os.nice(NICENESS)
    Worker(settings, lambda: load(settings), stopping).run()


def _follow(wait: Callable[[], None], stopping: threading.Event) -> None:
    wait()
    stopping.set()


def _work_and_log(settings: Settings, load: Load) -> None:
    from api.http.logs import log_to_stderr

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this process
    log_to_stderr()
    work(settings, load)


class WorkerProcess:
    """Keeps a worker running until the block ends; a job under way is then put back into the queue.

    Args:
        settings: where catalogue and collections are.
        ending: set to have the worker end before the block does.
        load: loads the models in the worker's process; a function of a module.
    """

    def __init__(self, settings: Settings, ending: threading.Event, load: Load = load_models) -> None:
        self._arguments = (settings, load)
        self._ending = ending
        self._keeper = threading.Thread(target=self._keep, name="worker's keeper")

    def __enter__(self) -> Self:
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._keeper.join()

    def _keep(self) -> None:
        pause = 1.0
        while not self._ending.is_set():
            process = multiprocessing.get_context("spawn").Process(target=_work_and_log, args=self._arguments)
            process.start()
            while process.is_alive() and not self._ending.wait(0.2):
                pass
            if self._ending.is_set():
                _end(process)
                return
            _LOG.error("the worker ended with code %s; it is started again", process.exitcode)
            self._ending.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def _end(process: SpawnProcess) -> None:
    process.terminate()
    process.join(GRACE)
    if process.is_alive():
        _LOG.error(
            "the worker did not end in %s seconds and is killed; its job goes on when it is started again", GRACE
        )
        process.kill()
        process.join()
