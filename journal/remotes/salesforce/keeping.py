"""Keeps a refresh token in a file, so that one that the org has replaced outlives the process.

- T1. The new token is on the disk, and nothing of the old one is lost, before it is used.
- T2. A token that a person has put into the environment since wins over what is kept.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from journal.errors import ProfileError

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY: Final = "refresh_token_file"
_MODE: Final = 0o600


class TokenFile:
    """A file that holds a refresh token, and of which one it is the successor."""

    def __init__(self, path: str | os.PathLike[str], variable: str) -> None:
        """Keep there what replaces the token of that environment variable."""
        self._path = Path(path)
        self._variable = variable
        self._origin = ""

    def __repr__(self) -> str:
        """Show where it is, and no secret."""
        return f"TokenFile({str(self._path)!r})"

    def laid_over(self, environ: Mapping[str, str]) -> Mapping[str, str]:
        """Return the environment with the token that is kept (T2).

        Raises:
            ProfileError: the file is there, and cannot be read.
        """
        first = environ.get(self._variable, "")
        self._origin = _mark(first) if first else ""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            token, origin = str(kept["refresh_token"]), str(kept["origin"])
        except FileNotFoundError:
            return environ
        except (OSError, ValueError, LookupError, TypeError):
            problem = "what is there cannot be read, or is no such file"
            raise ProfileError(_KEY, problem, hint="take it away, and log in again") from None
        if self._origin and self._origin != origin:
            return environ
        self._origin = origin
        return {**environ, self._variable: token}

    def save(self, token: str) -> None:
        """Put a new token in the place of the one before, all of it or nothing (T1).

        Raises:
            OSError: it could not be written.
        """
        beside = self._path.with_name(f"{self._path.name}.new")
        with suppress(FileNotFoundError):
            beside.unlink()
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"refresh_token": token, "origin": self._origin}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _mark(token: str) -> str:
    """Return by what a token is known again, and which tells nothing of it."""
    return sha256(token.encode()).hexdigest()
