"""``python -m slocheck.reference_api``: serve the reference API until it is stopped.

The first line on stdout is one JSON object: ``{"url": "http://127.0.0.1:8000"}`` once requests are
served, or ``{"error": "why not"}``. It ends on INT or TERM, unless they were ignored when it was started.
With ``--end-with-stdin`` it ends with its standard input too, so it never outlives the process at the other
end of that pipe.
"""

import argparse
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from slocheck.errors import UsageError
from slocheck.reference_api.options import as_options, parser, read_certificate, read_faults, read_settings
from slocheck.reference_api.serving import bind, inherited, say, serve
from slocheck.reference_api.stored import SQLITE, fill_sqlite
from slocheck.reference_api.workers import ApiWorkers, supervise


def main(arguments: list[str] | None = None) -> int:
    """Serve until it is asked to end; returns the exit code, 2 when it cannot start."""
    given = sys.argv[1:] if arguments is None else arguments
    options = parser().parse_args(given)
    try:
        return _run(given, options)
    finally:
        if options.folder is not None and options.listener is None:
            shutil.rmtree(options.folder, ignore_errors=True)


def _run(given: list[str], options: argparse.Namespace) -> int:
    try:
        settings, faults = read_settings(options), read_faults(options)
        certificate = read_certificate(options)
        if options.listener is not None:
            serve(settings, faults, inherited(options.listener), with_stdin=options.end_with_stdin)
            return 0
        with (
            bind(options.host, options.port) as listener,
            tempfile.TemporaryDirectory(prefix="slocheck-shop-") as folder,
        ):
            if not settings.database_url:
                settings = replace(settings, database_url=f"{SQLITE}{folder}/shop.db")
            if settings.workers == 1:
                serve(
                    settings,
                    faults,
                    listener,
                    with_stdin=options.end_with_stdin,
                    certificate=certificate,
                )
                return 0
            metrics = Path(folder, "metrics")
            metrics.mkdir()
            if settings.database_url.startswith(SQLITE):
                fill_sqlite(settings)  # once, before all workers try to
            workers = ApiWorkers([*given, *as_options(settings)], listener, str(metrics))
            supervise(workers, settings.workers, listener, with_stdin=options.end_with_stdin)
    except UsageError as error:
        say(error=str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
