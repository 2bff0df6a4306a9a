"""`dvsa worker`."""

import click


@click.command()
def worker() -> None:
    r"""Do the jobs that the HTTP service queues: index folders and uploads, delete photos.

    `dvsa serve` runs one worker of its own. More, or one elsewhere (`dvsa serve --no-worker`), share its catalogue and
    its DVSA_HOME. SIGTERM and Ctrl-C end it; its job goes back into the queue with what was encoded.

    \b
        dvsa worker
    """
    from api.http.logs import log_to_stderr
    from api.session import read_settings
    from api.worker_process import work

    settings = read_settings()
    log_to_stderr()
    work(settings)
