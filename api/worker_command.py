"""`dvsa worker`."""

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from engine.settings import Settings


@click.command()
@click.option("--check", is_flag=True, help="Only say whether a worker runs; the exit code is 1 where none does.")
def worker(check: bool) -> None:
    r"""Do the jobs that the HTTP service queues: index folders and uploads, delete photos.

    `dvsa serve` runs one worker of its own. More, or one elsewhere (`dvsa serve --no-worker`), share its catalogue and
    its DVSA_HOME. SIGTERM and Ctrl-C end it; its job goes back into the queue with what was encoded.

    \b
        dvsa worker
    """
    from api.session import read_settings

    settings = read_settings()
    if check:
        _check(settings)
        return
    from api.http.logs import log_to_stderr
    from api.worker_process import work

    log_to_stderr()
    work(settings)


def _check(settings: "Settings") -> None:
    from indexer.liveness import a_worker_lives

    lives = a_worker_lives(settings)
    click.echo("a worker runs" if lives else "no worker runs")
    if not lives:
        sys.exit(1)
