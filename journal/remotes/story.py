"""The story of a trial: a record is made, changed and taken away, and what that shows; no I/O.

- T1. Whatever is found, what was made is taken away at the end, or it is said what is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from journal.remotes.listing import listing
from journal.remotes.selection import NONE
from journal.remotes.trial import Finding, Probe, Told, absence, attempt, reached, twin_of
from journal.values import Ref

if TYPE_CHECKING:
    from journal.remotes.generic import HttpRemote
    from journal.remotes.sections import Verb
    from journal.remotes.trial import Steps, Verdict
    from journal.values import Fields


class Sample(NamedTuple):
    """What is written."""

    ref: Ref
    draft_id: str
    fields: Fields


def trial(remote: HttpRemote, sample: Sample, *, writes: bool) -> Steps[None]:
    """Try what a service does when it is spoken to as a profile says.

    Args:
        remote: the service, with its profile.
        sample: a record that nobody has, and its fields.
        writes: whether to write it; otherwise it is only read.
    """
    story = _Story(remote, sample)
    is_there = yield from attempt(reached(story.probe), "reachable", otherwise=False)
    if is_there and writes:
        yield from story.told()


class _Story:
    """One record, from its create to its delete."""

    def __init__(self, remote: HttpRemote, sample: Sample) -> None:
        self.probe = Probe(remote, sample.ref, sample.draft_id)
        self._remote = remote
        self._profile = remote.profile
        self._sample = sample
        self._fields: Fields = dict(sample.fields)
        self._first_version: str | None = None
        self._others: list[str] = []

    def told(self) -> Steps[None]:
        """Tell the story, and clean up after it (T1)."""
        is_made = yield from attempt(self._create(), "create", otherwise=False)
        if is_made:
            for capability, steps in (
                ("replayed create", self._replay()),
                ("update", self._update()),
                ("stale change", self._stale()),
                ("unset", self._unset()),
                ("list of changes", listing(self.probe)),
            ):
                yield from attempt(steps, capability, otherwise=None)
            yield from attempt(self._delete(), "delete", otherwise=None)
        yield from attempt(self._cleaned(), "nothing left behind", otherwise=None)

    # --- made ----------------------------------------------------------------------------

    def _create(self) -> Steps[bool]:
        told = yield from self.probe.write("create", self._fields)
        if told.state != "done":
            says = f"{told.says}; name the fields that it takes: Field=value"
            yield told.finding("create", "does not", says, "create")
            return False
        yield from self._receipt("create", told)
        if told.receipt is not None:
            self._known(told.receipt.remote_id, told.receipt.remote_version)
        seen = yield from self._compared("create", "answer.record")
        if seen is None:
            return False
        self._first_version = self.probe.known.version
        yield from self._versioned(seen)
        return True

    def _receipt(self, verb: Verb, told: Told) -> Steps[None]:
        """Say whether the answer to a write is one that the sender can take for a receipt."""
        if told.receipt is not None:
            yield told.finding(f"receipt of {verb}", "works", "the answer shows what was done")
            return
        places = self._profile.places(verb)
        if places.record == places.id == places.key == NONE:
            says = "the profile says that the answer shows nothing of the record: each is read back"
            yield told.finding(f"receipt of {verb}", "not told", says, "meaning")
            return
        says = (
            "the answer shows nothing that can be compared, or something else: each is read back, "
            "unless a [[meaning]] says that it is done"
        )
        yield told.finding(f"receipt of {verb}", "does not", says, f"{verb}.answer")

    def _compared(self, verb: str, key: str) -> Steps[Told | None]:
        """Read the record, and compare it with what was written, field by field."""
        seen = yield from self.probe.look()
        if seen.state != "done":
            says = f"what was written cannot be read: {seen.says or seen.state}"
            where = "answer" if seen.state == "unclear" else "read.path"
            yield seen.finding(verb, "does not", says, where if verb == "create" else key)
            return None
        forms = self.probe.dialect.forms(self._sample.ref.type)
        received = forms.read(seen.shown.fields or {})
        self._known(seen.shown.id, seen.shown.version)
        wrong = [
            f"{name} is {received.get(name)!r}, and {value!r} was written"
            for name, value in self._fields.items()
            if not forms.agrees(name, received.get(name), value)
        ]
        if wrong:
            if not received.keys() & self._fields.keys():
                says = f"the record that is read has none of the fields; it has {_names(received)}"
                yield seen.finding(verb, "does not", says, "answer.fields")
            else:
                yield seen.finding(verb, "does not", "; ".join(wrong), key)
            return None
        yield seen.finding(verb, "works", "every field is as it was written")
        if verb == "create":
            more = received.keys() - self._fields.keys()
            if more:
                says = f"the service adds {_names(more)}: name what it keeps itself"
                yield seen.finding("members of its own", "not told", says, "answer.own")
        return seen

    def _versioned(self, seen: Told) -> Steps[None]:
        if not self.probe.dialect.has_versions:
            yield Finding("version", "not told", "the profile says that there is none")
        elif seen.shown.version is None:
            yield seen.finding("version", "does not", "the read shows none", "answer.version")
        else:
            yield seen.finding("version", "works", f"it is {seen.shown.version}")

    def _known(self, remote_id: str | None, version: str | None) -> None:
        known = self.probe.known
        self.probe.known = known._replace(
            exists=True, fields=dict(self._fields), remote_id=remote_id, version=version
        )

    def _replay(self) -> Steps[None]:
        """Create the record again: as the sender never would without a look."""
        known = self.probe.known
        self.probe.known = known._replace(remote_id=None)
        told = yield from self.probe.write("create", self._fields)
        self.probe.known = known
        made = None if told.receipt is None else told.receipt.remote_id
        more = [] if made in {None, known.remote_id} else [str(made)]
        if self._profile.find is not None:
            more += yield from self._listed_too(more)
        self._others += more
        if more:
            says = "a create that arrives twice makes two records; see create.looks_first, too"
            verdict: Verdict = "not told" if self._profile.create.looks_first else "does not"
            yield told.finding("replayed create", verdict, says, "create.is_repeatable")
        elif told.state == "done" and (made is not None or self._counts):
            says = "it answers as if it were the first; there is one record all the same"
            yield told.finding("replayed create", "works", says)
        elif told.state == "done":
            says = "it is answered like the first, and nothing shows whether there are two now"
            yield told.finding("replayed create", "not told", says, "find")
        elif told.state == "unclear":
            yield told.finding("replayed create", "not told", told.says, "create")
        else:
            yield told.finding("replayed create", "works", f"it is refused: {told.says}")
        seen = yield from self.probe.look()
        if seen.state == "done":
            self._known(seen.shown.id, seen.shown.version)

    def _listed_too(self, more: list[str]) -> Steps[list[str]]:
        """Return the ids of the other records under our key that a look-up lists."""
        _, hits = yield from self.probe.listed()
        ids = [] if hits is None else [hit.id for hit in hits.ours if hit.id is not None]
        return [i for i in dict.fromkeys(ids) if i not in {self.probe.known.remote_id, *more}]

    @property
    def _counts(self) -> bool:
        """Whether there can be one record only under our key, or a look-up lists them all."""
        return not self.probe.dialect.assigns or self._profile.find is not None

    # --- changed -------------------------------------------------------------------------

    def _update(self) -> Steps[None]:
        change = next(
            ({n: new} for n, v in self._fields.items() if (new := another(v)) is not None), None
        )
        if change is None:
            yield Finding("update", "not told", "none of the fields is a text or a number")
            return
        yield from self._changed("update", change, "update.body")

    def _unset(self) -> Steps[None]:
        if len(self._fields) < 2:  # noqa: PLR2004  one stays
            yield Finding("unset", "not told", "name two fields: one is changed, one unset")
            return
        yield from self._changed("unset", {list(self._fields)[-1]: None}, "update.unset")

    def _changed(self, capability: str, change: Fields, key: str) -> Steps[None]:
        self.probe.amend()
        told = yield from self.probe.write("update", change)
        if told.state != "done":
            yield told.finding(capability, "does not", told.says or told.state, key)
            return
        before = self._fields
        self._fields = {**before, **change}
        if capability == "update":
            yield from self._receipt("update", told)
        if (yield from self._compared(capability, key)) is None:
            self._fields = before

    def _stale(self) -> Steps[None]:
        known, old = self.probe.known, self._first_version
        if not self.probe.dialect.has_versions or old is None or known.version is None:
            says = "there is no version: a read right before each change has to do"
            yield Finding("stale change", "not told", says, "answer.version")
            return
        if self.probe.dialect.is_same_version(old, known.version):
            says = "the version is the same after an update as before it"
            is_weak = self._profile.version.is_weak
            yield Finding("stale change", "not told" if is_weak else "does not", says, "version")
            return
        name, value = next(iter(self._fields.items()))
        self.probe.known = known._replace(version=old)
        self.probe.amend()
        told = yield from self.probe.write("update", {name: another(value)})
        self.probe.known = known
        if told.state == "refused":
            yield told.finding("stale change", "works", f"it is refused: {told.says}")
            return
        if told.state == "done":
            self._fields = {**self._fields, name: another(value)}
        says = "a change of an older version is not refused: others' changes would be lost"
        key = "version.condition"
        yield told.finding("stale change", "does not", told.says or says, key)
        seen = yield from self.probe.look()
        if seen.state == "done":
            self._known(seen.shown.id, seen.shown.version)

    # --- taken away ----------------------------------------------------------------------

    def _delete(self) -> Steps[None]:
        self.probe.amend()
        told = yield from self.probe.write("delete")
        if told.state != "done":
            yield told.finding("delete", "does not", told.says or told.state, "delete")
            return
        yield from self._receipt("delete", told)
        seen = yield from self.probe.look()
        if (yield from absence(self.probe, seen, "delete")):
            self.probe.known = self.probe.known._replace(exists=False)

    def _cleaned(self) -> Steps[None]:
        """Take away what is left, and say so where it cannot be."""
        left = []
        if self.probe.known.exists is not False:
            told = yield from self.probe.write("delete")
            if told.state not in {"done", "absent"}:
                told = yield from self.probe.write("delete", looks=False)
            seen = yield from self.probe.look()
            twin = twin_of(self.probe, seen)
            self._others += [] if twin is None else [twin]
            is_unclear = seen.state == "unclear" and told.state in {"done", "absent"}
            is_gone = seen.state == "absent" or is_unclear
            left += [] if is_gone else [self.probe.known.remote_id or told.says or seen.says]
        for remote_id in self._others:
            self.probe.known = self.probe.known._replace(remote_id=remote_id, version=None)
            told = yield from self.probe.write("delete")
            left += [] if told.state in {"done", "absent"} else [remote_id]
        ref = self._sample.ref
        if left:
            says = f"look for {ref} there, and delete it: {', '.join(left)}"
            yield Finding("nothing left behind", "does not", says, "delete")
        else:
            yield Finding("nothing left behind", "works", f"{ref} is gone")


def another(value: object) -> object:
    """Return another value of the same kind; None where there is none."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str() if type(value) is not Ref:
            return f"{value} 2"
        case _:
            return None


def _names(names: object) -> str:
    return ", ".join(sorted(names)) if isinstance(names, (dict, set)) and names else "none"
