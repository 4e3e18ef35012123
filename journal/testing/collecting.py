"""The conformance suite as tests of pytest, where a remote is named: ``--journal-remote``.

`add_options` and `collected` are called by the plugin; the checks are imported only where they
are asked for.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from journal.testing.conformance.subject import Check, Subject

_PREFIX: Final = "conformance"


def add_options(parser: pytest.Parser) -> None:
    """Add the options by which a remote is named."""
    group = parser.getgroup("draft-journal")
    group.addoption(
        "--journal-remote",
        metavar="URL",
        help="try the record service at this address, which is plain JSON with ETags",
    )
    group.addoption("--journal-profile", metavar="FILE", help="try a record service by its profile")
    group.addoption("--journal-type", metavar="TYPE", help="our name of the record type to try")
    group.addoption(
        "--journal-fields",
        metavar="JSON",
        help="the fields of the records that are written, two at least",
    )


def collected(session: pytest.Session) -> list[pytest.Item]:
    """Return a test for each check, where a remote is named; none otherwise.

    Raises:
        pytest.UsageError: it is named in a way that cannot be used.
    """
    url, file = (session.config.getoption(f"--journal-{name}") for name in ("remote", "profile"))
    if url is None and file is None:
        for name in ("type", "fields"):
            if session.config.getoption(f"--journal-{name}") is not None:
                said = f"--journal-{name} says how a remote is tried, and none is named"
                raise pytest.UsageError(f"{said}: add --journal-remote URL, or --journal-profile")
        return []
    from journal.testing.conformance.checks import CHECKS  # noqa: PLC0415  only where it is used

    subject = _subject(session.config, url, file)
    return [
        ConformanceItem.from_parent(
            session, name=f"{_PREFIX}[{check.name}]", check=check, subject=subject
        )
        for check in CHECKS
    ]


def _subject(config: pytest.Config, url: str | None, file: str | None) -> Subject:
    from journal import Journal  # noqa: PLC0415  only where it is used
    from journal.errors import ProfileError, RefusedError  # noqa: PLC0415
    from journal.remotes.profiles import Profile, toml_of  # noqa: PLC0415
    from journal.testing.conformance.subject import Subject  # noqa: PLC0415

    said = config.getoption("--journal-fields")
    try:
        fields = None if said is None else json.loads(said)
    except ValueError as error:
        raise pytest.UsageError(f"--journal-fields is no JSON: {error}") from error
    if not isinstance(fields, dict | None):
        raise pytest.UsageError("--journal-fields is no JSON object")
    try:
        content: dict[str, Any] = {} if file is None else toml_of(file)
        profile = Profile.of(content if url is None else {**content, "url": url})
        subject = Subject.of_profile(profile, config.getoption("--journal-type"), fields)
        with Journal() as journal:  # what cannot be written here is not asked of anybody
            journal.create(subject.record_type, subject.fields)
    except RefusedError as error:
        raise pytest.UsageError(f"no record can be written to try it: {error}") from error
    except (ProfileError, ValueError) as error:
        raise pytest.UsageError(str(error)) from error
    else:
        return subject


class ConformanceItem(pytest.Item):
    """A check as a test."""

    def __init__(self, *, check: Check, subject: Subject, **more: Any) -> None:  # noqa: ANN401
        """Put that check to the subject."""
        super().__init__(**more)
        self.check = check
        self.subject = subject

    def runtest(self) -> None:
        """Ask; what cannot be told is skipped."""
        from journal.testing.conformance.subject import NotToldError  # noqa: PLC0415

        try:
            self.check.run(self.subject)
        except NotToldError as error:
            pytest.skip(str(error))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ANN401
        """Say what is not as it should be, without the way there."""
        from journal.testing.conformance.subject import NonconformingError  # noqa: PLC0415

        if isinstance(excinfo.value, NonconformingError):
            return f"{self.check.says}\n  but: {excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Name the check."""
        return self.path, None, self.name
