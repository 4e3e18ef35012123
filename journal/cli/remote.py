"""The command that tries a profile: remote check."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from journal.cli import wording
from journal.cli.edits import as_fields
from journal.cli.interruption import explained
from journal.cli.profile_file import remote_by
from journal.cli.setting import Setting, common_options, pass_setting

if TYPE_CHECKING:
    from journal.remotes import HttpRemote, Profile
    from journal.remotes.trial import Finding
    from journal.values import Fields

FAILED: Final = 1
_STYLES: Final = {"works": "good", "does not": "bad", "not told": "changed"}
_SHOWN: Final = 300
"""How much of a request and of an answer is shown, in characters."""


@click.group()
@common_options
def remote() -> None:
    """Try a record service by its profile."""


@remote.command()
@click.argument("profile", metavar="PROFILE.toml", type=click.Path(exists=True, dir_okay=False))
@click.argument("fields", metavar="[Field=value]...", nargs=-1, callback=as_fields)
@click.option("--type", "record_type", metavar="TYPE", help="Our name of a record type.")
@click.option("--write", "writes", is_flag=True, help="Write a record, and take it away again.")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask before writing.")
@common_options
@pass_setting
def check(  # noqa: PLR0913  options
    setting: Setting,
    profile: str,
    fields: Fields,
    *,
    record_type: str | None,
    writes: bool,
    is_sure: bool,
) -> int:
    """Say what a profile says, and whether its service does so.

    Without --write, one record that nobody has is asked for. With it, a record with these fields
    is created under a key of its own, twice, changed, and deleted. The exit code is 1 where
    anything does not work as the profile says.
    """
    from journal.remotes.portrait import portrait
    from journal.remotes.trying import sample_for, tried
    from journal.sources import Sources

    service = remote_by(profile)
    described = service.profile
    sample = sample_for(described, _type_of(described, record_type), fields, Sources())
    ref = sample.ref
    said = [*portrait(described), *(f"Note: {note}." for note in described.notes)]
    if setting.is_json:
        setting.output.object({"profile": Path(profile).name, "says": said})
    else:
        setting.output.lines(wording.harmless(line) for line in said)
        setting.output.line()
    if writes and not is_sure:
        _ask(described, ref)
    is_bad = False
    with explained(setting, lambda: f"{ref} may be left there." if writes else "Nothing is left."):
        for finding in tried(service, sample, writes=writes):
            is_bad |= finding.verdict == "does not"
            _show(setting, service, finding)
    return FAILED if is_bad else 0


def _type_of(profile: Profile, record_type: str | None) -> str:
    """Return the type to try: the one that is named, or the only one that the profile has."""
    from journal.remotes.profiles import ALL

    if record_type is not None:
        return record_type
    named = [name for name in profile.types if name != ALL]
    if len(named) == 1:
        return named[0]
    listed = ", ".join(named) or "none"
    raise click.UsageError(f"name a record type: --type TYPE; the profile names {listed}")


def _ask(profile: Profile, ref: str) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("to write to a service, say --yes where nobody can be asked")
    click.confirm(f"Write {ref} to {profile.url}, and delete it again?", abort=True, err=True)


def _show(setting: Setting, service: HttpRemote, finding: Finding) -> None:
    masked = service.credentials.secrets.masked
    says, key = masked(finding.says), finding.key
    request, answer = masked(_request(finding)), masked(_answer(finding))
    if setting.is_json:
        found = {"capability": finding.capability, "verdict": finding.verdict, "says": says}
        setting.output.object({**found, "key": key, "request": request, "answer": answer})
        return
    verdict = setting.output.styled(f"{finding.verdict:8}", _STYLES[finding.verdict])
    setting.output.line(f"{verdict}  {finding.capability}: {wording.harmless(says)}")
    if finding.verdict == "works":
        return
    for line in (request and f"> {request}", answer and f"< {answer}", key and f"see {key}"):
        if line:
            setting.output.line(
                setting.output.styled(f"          {wording.harmless(line)}", "faint")
            )


def _request(finding: Finding) -> str:
    request = finding.request
    if request is None:
        return ""
    headers = "".join(f" {name}: {text};" for name, text in request.headers.items())
    body = (request.body or b"").decode("utf-8", "replace")[:_SHOWN]
    return f"{request.method} {request.path}{headers} {body}".rstrip()


def _answer(finding: Finding) -> str:
    from journal.remotes.remote import Response

    answer = finding.answer
    if answer is None:
        return ""
    if not isinstance(answer, Response):
        return answer.problem
    return f"{answer.status} {answer.body.decode('utf-8', 'replace')[:_SHOWN]}".rstrip()
