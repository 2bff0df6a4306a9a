"""`dvsa backup` and `dvsa restore`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from indexer.backup.back_up import BackupReport
    from indexer.backup.restore import RestoreReport

SHOWN = 10  # missing files named; --json names all


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--photos", is_flag=True, help="Take the photos of indexed folders, too; uploaded ones are always taken.")
@click.option("--json", "json_output", is_flag=True, help="Print one JSON document.")
def backup(file: Path, photos: bool, json_output: bool) -> None:
    r"""Write all collections into one file: catalogue, index, uploaded files.

    It holds what is published at that moment; searches and a running dvsa index go on. FILE must not be there yet, and
    only you may read it. Jobs are not in it.

    \b
        dvsa backup ~/dvsa-2025-01-31.tar --photos
    """
    from api.output import as_json, printable
    from api.session import read_settings
    from engine.catalogue import Catalogue
    from indexer.backup.back_up import back_up

    settings = read_settings()
    catalogue = Catalogue(settings.catalogue_url)
    try:
        report = back_up(file, catalogue, settings, photos)
    finally:
        catalogue.close()
    if json_output:
        click.echo(as_json({"file": str(file), "bytes": file.stat().st_size, **asdict(report)}))
        return
    click.echo(f"{printable(str(file))}: {_counts(report)}")
    for path in report.missing[:SHOWN]:
        click.echo(f"  not in it, since it is gone or has changed: {printable(path)}")
    if len(report.missing) > SHOWN:
        click.echo(f"  and {len(report.missing) - SHOWN} more; --json names all")


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--photos", type=click.Path(path_type=Path), help="New folder for the photos of indexed folders.")
@click.option("--json", "json_output", is_flag=True, help="Print one JSON document.")
def restore(file: Path, photos: Path | None, json_output: bool) -> None:
    r"""Fill an empty DVSA_HOME and an empty catalogue from a backup, in SQLite or in PostgreSQL.

    Every byte of FILE is checked before anything is written, and nothing is overwritten. With --photos, the photos that
    the backup holds are written below that folder, and the catalogue names them there.

    \b
        DVSA_HOME=~/new dvsa restore ~/dvsa-2025-01-31.tar
    """
    from api.output import as_json
    from api.session import read_settings
    from engine.catalogue import Catalogue
    from indexer.backup.restore import restore_backup

    settings = read_settings()
    catalogue = Catalogue(settings.catalogue_url)
    try:
        report = restore_backup(file, catalogue, settings, photos)
    finally:
        catalogue.close()
    if json_output:
        click.echo(as_json(asdict(report)))
        return
    click.echo(_counts(report))


def _counts(report: "BackupReport | RestoreReport") -> str:
    held = f"{report.collections} collections, {report.photos:,} photos, {report.sentences:,} sentences"
    return f"{held}, {report.photo_files:,} files of photos"
