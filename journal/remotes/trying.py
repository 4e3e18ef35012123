"""Tries a service by its profile, over the wire: what the command line and the test kit both do."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING, Final

from journal.remotes.remote import Request
from journal.remotes.story import Sample, trial
from journal.remotes.wire import Limits, Wire
from journal.values import Ref

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.remotes.generic import HttpRemote
    from journal.remotes.profiles import Profile
    from journal.remotes.trial import Finding
    from journal.sources import Sources
    from journal.values import Fields

SAMPLE: Final = {"title": "draft-journal check", "note": "may be deleted"}
"""The fields of the record that is written, where nobody names others."""


def sample_for(
    profile: Profile, record_type: str, fields: Fields | None, sources: Sources
) -> Sample:
    """Return a record that nobody has, in a form that the service takes."""
    key = key_for(profile, sources.ids.new(sources.clock.now_us()))
    draft_id = sources.ids.new(sources.clock.now_us())
    return Sample(Ref.of(record_type, key), draft_id, fields or dict(SAMPLE))


def key_for(profile: Profile, new: str) -> str:
    """Return a new id in a form that the service takes for a key, if it takes any of these."""
    bare = new.replace("-", "")
    forms = (new, bare, bare.upper(), str(int(bare, 16)), bare[-20:], bare[-12:])
    return next((form for form in forms if re.fullmatch(profile.key.pattern, form)), new)


def tried(remote: HttpRemote, sample: Sample, *, writes: bool) -> Iterator[Finding]:
    """Try a service, and yield what is found.

    Args:
        remote: the service, with its profile.
        sample: a record that nobody has.
        writes: whether it is written, and taken away again; otherwise it is only asked for.
    """
    steps = trial(remote, sample, writes=writes)
    with closing(Wire(remote, Limits.of(remote))) as wire:
        answer: object = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration:
                return
            answer = None
            if isinstance(step, Request):
                answer = wire.exchange(step)
            else:
                yield step
