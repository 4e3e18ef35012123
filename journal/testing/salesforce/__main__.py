"""Run the stand-in org in a process of its own: `python -m journal.testing.salesforce`."""

from __future__ import annotations

import argparse
import signal
import sys

from journal.testing.salesforce.org import Org
from journal.testing.salesforce.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m journal.testing.salesforce")
    parser.add_argument("--port", type=int, default=0, help="the port; 0 takes a free one")
    parser.add_argument(
        "--session", type=float, default=7200.0, help="seconds that a session lasts"
    )
    said = parser.parse_args(arguments)
    org = Org(settings=Settings(session_s=said.session))
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before any thread, so that sigwait gets them
    try:
        with org.serve(said.port) as url:
            app = org.apps[0]
            sys.stdout.write(f"listening on {url}\n")
            sys.stdout.write(f"client id {app.client_id}, client secret {app.client_secret}\n")
            sys.stdout.flush()
            signal.sigwait(ends)
    except (OSError, OverflowError) as error:
        sys.stderr.write(f"cannot listen: {error}\n")
        return 1
    except ModuleNotFoundError as error:
        sys.stderr.write(f"{error.name} is missing: install draft-journal[testing]\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
