"""What is asked: a remote, with a record that it may write."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from journal.errors import JournalError, ProfileError
from journal.remotes.generic import HttpRemote
from journal.remotes.profiles import ALL, Profile
from journal.remotes.remote import Request
from journal.remotes.story import Sample
from journal.remotes.trial import Probe
from journal.remotes.trying import SAMPLE, key_for, tried
from journal.remotes.wire import Limits, Wire
from journal.sources import Sources
from journal.values import Ref

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from journal.record import Record
    from journal.remotes.remote import Answer, Remote
    from journal.remotes.trial import Finding, Steps, Told


_LEAST_FIELDS: Final = 2


class NonconformingError(JournalError):
    """A remote, or its service, does not do what a draft needs."""


class NotToldError(JournalError):
    """A question does not apply, or its answer does not show."""


class Check(NamedTuple):
    """A question to a remote."""

    name: str
    says: str
    """What is to be true."""
    run: Callable[[Subject], None]
    """Raises `NonconformingError` where it is not, `NotToldError` where that cannot be said."""


class Subject:
    """A remote, and the type and the fields of the records that are written to try it.

    They are written under ids of their own, and taken away again.
    """

    def __init__(
        self,
        remote: Remote,
        record_type: str = "Note",
        fields: Mapping[str, object] | None = None,
        *,
        reads: Callable[[Ref], Mapping[str, object] | None] | None = None,
        timeout_s: float = 60.0,
    ) -> None:
        """Try that remote.

        Args:
            remote: any object that speaks the protocol of a `journal.remotes.Remote`.
            record_type: of the records that are written.
            fields: of these records, two at least: the first is changed, the last unset.
            reads: says independently what the service has of a record, or None where it has no
                such record; where it is not given, and the remote has a profile, that is asked.
            timeout_s: how long a draft may take to be settled.

        Raises:
            TypeError: the remote is none.
            ValueError: there are fewer than two fields.
        """
        if not callable(getattr(remote, "push", None)):
            raise TypeError(f"{remote!r} is no remote; an address is tried by Subject.of_profile()")
        if fields is not None and len(fields) < _LEAST_FIELDS:
            said = "one is changed, and another unset"
            raise ValueError(f"there are {len(fields)} fields to try it with, not two: {said}")
        self.remote = remote
        self.record_type = record_type
        self.fields = dict(fields or SAMPLE)
        self.timeout_s = timeout_s
        self._sources = Sources()
        self._reads = reads
        self._findings: list[Finding] | None = None

    @classmethod
    def of_profile(
        cls,
        profile: Profile,
        record_type: str | None = None,
        fields: Mapping[str, object] | None = None,
    ) -> Self:
        """Try a record service by its profile.

        Raises:
            ProfileError: no type is named, and the profile does not name just one.
            ValueError: there are fewer than two fields.
        """
        named = [name for name in profile.types if name != ALL]
        if record_type is None and len(named) > 1:
            raise ProfileError("types", f"names {', '.join(named)}", hint="say which one to try")
        found = record_type or (named[0] if named else "Note")
        return cls(HttpRemote(profile), found, fields)

    @property
    def service(self) -> HttpRemote | None:
        """The remote, where it is one with a profile."""
        return self.remote if isinstance(self.remote, HttpRemote) else None

    @property
    def findings(self) -> list[Finding]:
        """What a trial finds of the service: the one that `draft-journal remote check` makes.

        Raises:
            NotToldError: the remote has no profile.
        """
        if self._findings is None:
            service = self.service
            if service is None:
                raise NotToldError("the remote has no profile by which it could be tried")
            sample = Sample(self.new_ref(), self._new_id(), self.fields)
            self._findings = list(tried(service, sample, writes=True))
        return self._findings

    def see_reachable(self) -> None:
        """See that there is somebody to ask.

        Raises:
            NotToldError: a trial has not reached the service.
        """
        if self.service is None:
            return
        for finding in self.findings:
            if finding.capability in {"reachable", "authenticated"} and (
                finding.verdict == "does not"
            ):
                raise NotToldError(f"the service is not {finding.capability}: {finding.says}")

    def new_ref(self) -> Ref:
        """Return a record that nobody has."""
        new, service = self._new_id(), self.service
        key = new if service is None else key_for(service.profile, new)
        return Ref.of(self.record_type, key)

    def _new_id(self) -> str:
        return self._sources.ids.new(self._sources.clock.now_us())

    def differences(self, record: Record) -> list[str] | None:
        """Return in what the service's record is not as it is here; None where nobody can say.

        Raises:
            NonconformingError: the service cannot be read.
        """
        service = self.service
        if self._reads is not None:
            found = self._reads(record.ref)
            return _differences(record.fields, found, lambda _, here, there: here == there)
        if service is None:
            return None
        with closing(Wire(service, Limits.of(service))) as wire:
            probe = Probe(service, record.ref, self._new_id())
            probe.known = record.remote
            told = driven(probe.look(), wire.exchange)
        if told.state not in {"done", "absent"}:
            raise NonconformingError(f"{record.ref} cannot be read: {told.says or told.state}")
        forms = service.dialect.forms(record.ref.type)
        shown = None if told.state == "absent" else forms.read(told.shown.fields or {})
        return _differences(record.fields, shown, forms.agrees)


def _differences(
    here: Mapping[str, object] | None,
    there: Mapping[str, object] | None,
    agrees: Callable[[str, object, object], bool],
) -> list[str]:
    """Return in what two records differ; what the service adds is its own."""
    if here is None or there is None:
        is_same = here is there
        return [] if is_same else [f"it is {'gone' if there is None else 'still'} there"]
    return [
        f"{name} is {there.get(name)!r} there, and {value!r} here"
        for name, value in here.items()
        if not agrees(name, there.get(name), value)
    ]


def driven(steps: Steps[Told], exchange: Callable[[Request], Answer]) -> Told:
    """Take the steps of a probe, and return what they come to."""
    answer: Answer | None = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as ended:
            told: Told = ended.value
            return told
        answer = exchange(step) if isinstance(step, Request) else None
