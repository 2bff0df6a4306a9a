"""The entry point of `dvsa`: exit codes, and one line for every error that a person can do something about."""

import os
import sys

import click


def main() -> None:
    """Run the command line: 0 done, 1 a stated error, 2 wrong usage, 130 interrupted."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # waiting threads that spin slow the decoders down
    from api.cli import dvsa
    from model.exceptions import DvsaError

    try:
        outcome = dvsa.main(standalone_mode=False)
    except click.Abort:
        _complain("interrupted")
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except DvsaError as error:
        _complain(str(error))
        sys.exit(1)
    except OSError as error:
        _complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        sys.exit(1)
    sys.exit(outcome if isinstance(outcome, int) else 0)


def _complain(message: str) -> None:
    from api.output import printable

    click.echo(f"Error: {printable(message)}", err=True)


if __name__ == "__main__":
    main()
