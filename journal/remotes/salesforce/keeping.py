"""Keeps a refresh token in a file, so that one that the org has replaced outlives the process.

- T1. The new token is on the disk, and nothing of the old one is lost, before it is used.
- T2. A token that a person has put into the environment since wins over what is kept.
- T3. Of all processes that have the file one asks for a token at a time, by the token that is in
  it then: an org takes the use of one that it has replaced for a theft, and revokes them all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import mkstemp
from typing import Final

from journal.errors import ProfileError
from journal.log.filelock import FileLock

_KEY: Final = "refresh_token_file"


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
        """Return the environment with the token that is kept, whenever it is asked for (T2, T3).

        Raises:
            ProfileError: the file is there, and cannot be read.
        """
        self.token(environ)
        return _Overlay(self, environ, self._variable)

    def token(self, environ: Mapping[str, str]) -> str:
        """Return the token that is to be used now; nothing where there is none (T2).

        Raises:
            ProfileError: the file is there, and cannot be read.
        """
        first = environ.get(self._variable, "")
        origin = _mark(first) if first else ""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            token, kept_origin = str(kept["refresh_token"]), str(kept["origin"])
        except FileNotFoundError:
            token, kept_origin = first, origin
        except (OSError, ValueError, LookupError, TypeError):
            problem = "what is there cannot be read, or is no such file"
            raise ProfileError(_KEY, problem, hint="take it away, and log in again") from None
        self._origin = origin or kept_origin
        return first if origin and origin != kept_origin else token

    def save(self, token: str) -> None:
        """Put a new token in the place of the one before, all of it or nothing (T1).

        Raises:
            OSError: it could not be written.
        """
        # Nobody else may read what is made so.
        descriptor, beside = mkstemp(prefix=f"{self._path.name}.", dir=self._path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump({"refresh_token": token, "origin": self._origin}, file)
                file.flush()
                os.fsync(file.fileno())
            Path(beside).replace(self._path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def turn(self) -> Turn:
        """Return what says who asks for a token now (T3)."""
        return Turn(self._path.with_name(f"{self._path.name}.lock"))


class Turn:
    """Held by one process at a time, and by one of its threads."""

    def __init__(self, path: Path) -> None:
        """Hold it by a lock on that file."""
        self._path = path
        self._held: FileLock | None = None

    def acquire(self, blocking: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002  as Lock's
        """Take it, where nobody has it; say whether it is ours.

        Raises:
            LogError: the file of the lock cannot be made: nor could a token be kept beside it.
        """
        lock = FileLock(self._path, 0)
        if not lock.attempt():
            lock.close()
            return False
        self._held = lock
        return True

    def release(self) -> None:
        """Let others have it."""
        held, self._held = self._held, None
        if held is not None:
            held.close()


class _Overlay(Mapping[str, str]):
    """An environment with the token that is kept."""

    def __init__(self, file: TokenFile, environ: Mapping[str, str], variable: str) -> None:
        self._file, self._environ, self._variable = file, environ, variable

    def __getitem__(self, name: str) -> str:
        found = self._file.token(self._environ) if name == self._variable else ""
        return found or self._environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._environ, self._variable)))

    def __len__(self) -> int:
        return len(list(iter(self)))


def _mark(token: str) -> str:
    """Return by what a token is known again, and which tells nothing of it."""
    return sha256(token.encode()).hexdigest()
