"""Real services are asked what the conformance suite asks, by their profile files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal.testing.conformance import CHECKS, NonconformingError, NotToldError, Subject
from tests.integration.services.desk import Desk

if TYPE_CHECKING:
    from tests.integration.services.kinto import Kinto


def test_kinto(kinto_service: Kinto, monkeypatch: Any) -> None:  # noqa: ANN401  pytest's
    """Kinto conforms by its profile, and nothing that was tried is left there."""
    for name, secret in kinto_service.environ.items():
        monkeypatch.setenv(name, secret)
    desk = Desk(kinto_service, "kinto.toml", "Note")
    subject = Subject.of_profile(desk.profile, "Note", {"title": "a", "n": 1, "body": "text"})
    desk.close()

    failed, untold = {}, set()
    for check in CHECKS:
        try:
            check.run(subject)
        except NonconformingError as error:
            failed[check.name] = str(error)
        except NotToldError:
            untold.add(check.name)

    assert failed == {}
    assert untold <= {"late copy"}
