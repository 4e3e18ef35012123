"""The profile that a command is handed: the options about it, and how it is read."""

from __future__ import annotations

from contextlib import suppress
from logging import NullHandler, getLogger
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from journal.cli.strict_json import encoding_problem
from journal.errors import ProfileError

if TYPE_CHECKING:
    from journal.remotes import HttpRemote

_LOOKED_AT: Final = 4096
"""How many bytes of a file that is no profile are looked at, to say why."""

profile_option: Final = click.option(
    "--remote",
    "profile",
    metavar="PROFILE.toml",
    required=True,
    type=click.Path(exists=True, dir_okay=False),
    help="Where the remote service is, and how it is spoken to.",
)
attempts_option: Final = click.option(
    "--attempts",
    metavar="N",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="How often in a row to try while the service does not answer.",
)


def remote_by(profile: str) -> HttpRemote:
    """Return the remote that the profile in a file describes; what it logs is said in words.

    Raises:
        ProfileError: the file cannot be read, or says something that it must not.
    """
    getLogger("journal").addHandler(NullHandler())
    from journal.remotes import HttpRemote, Profile, Salesforce
    from journal.remotes.profiles import toml_of

    try:
        if toml_of(profile).get("service") == "salesforce":
            return Salesforce.load(profile)
        return HttpRemote(Profile.load(profile))
    except ProfileError as error:
        raise _in_plain_words(error, profile) from error


def _in_plain_words(error: ProfileError, profile: str) -> ProfileError:
    """Return the error, in plain words where it is about how the file is encoded."""
    if error.key != "file":
        return error
    with suppress(OSError), Path(profile).open("rb") as file:
        start = file.read(_LOOKED_AT)
        if why := encoding_problem(start) or encoding_problem(start.decode(errors="replace")):
            return ProfileError(error.key, f"{profile} cannot be read: {why}")
    return error
