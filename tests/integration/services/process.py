"""A service in a process of its own: started on a free port, waited for, stopped."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

DEADLINE_S: Final = 60.0
BETWEEN_S: Final = 0.02
STARTS: Final = 3
"""How often a service is started where its port was taken in the meantime."""


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(arguments: Callable[[int], Sequence[str]], ready: str, log: Path) -> Iterator[str]:
    """Run a Python process that serves on loopback; yield its URL when it answers.

    Args:
        arguments: what follows the interpreter, for a port.
        ready: the path that is answered with 200 when the service is up.
        log: where it writes what it says.

    Raises:
        RuntimeError: it does not come up; what it said is in the text.
    """
    process, url = _started(arguments, ready, log)
    try:
        yield url
    finally:
        _stop(process)


def _started(
    arguments: Callable[[int], Sequence[str]], ready: str, log: Path
) -> tuple[subprocess.Popen[bytes], str]:
    for _ in range(STARTS):
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        with log.open("wb") as output:
            process = subprocess.Popen(
                # What the service's own libraries deprecate is not ours to mend.
                [sys.executable, "-W", "ignore", *arguments(port)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        if _is_up(process, url + ready):
            return process, url
        _stop(process)
    raise RuntimeError(f"the service did not come up:\n{log.read_text(errors='replace')}")


def _is_up(process: subprocess.Popen[bytes], url: str) -> bool:
    """Wait until the service answers; say whether it does."""
    until = time.monotonic() + DEADLINE_S
    with httpx.Client(trust_env=False, timeout=5.0) as client:
        while time.monotonic() < until and process.poll() is None:
            try:
                if client.get(url).status_code == httpx.codes.OK:
                    return True
            except httpx.TransportError:
                time.sleep(BETWEEN_S)  # between two looks; nothing is assumed of its length
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
