"""What people do at the simulated machine, and what another writer does at the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journal.errors import LogError, LogUnavailableError
from journal.testing.simulate import invariants
from journal.testing.simulate.dialects import TYPES
from journal.testing.simulate.oracle import targets_of
from journal.testing.simulate.service import PART, POISON
from journal.testing.simulate.storage import Crashed
from journal.values import Ref
from projections import Drafts, Records

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal.journal import Journal
    from journal.testing.simulate.oracle import Expected
    from journal.testing.simulate.process import Process
    from journal.testing.simulate.scenario import Operation
    from journal.testing.simulate.world import World

AGAIN_S: Final = 0.9
"""How long after a failure the same is tried again."""
_REFERRING: Final = frozenset({"Of", "Lines"})
"""The fields that may refer to a record."""
_POLICIES: Final = ("ours", "theirs", "merge")


class Desk:
    """Who sits at the machine: does one operation after another, and remembers what was told."""

    def __init__(self, world: World) -> None:
        """Begin with nothing done."""
        self._world = world
        self.refs: list[Ref] = []
        """The records that were made, or tried to be made, in order."""
        self.stored: dict[str, int] = {}
        """What was told as stored, by the id of its event, with where the log ended then."""
        self.created: dict[Ref, int] = {}
        """The records that were told as created, with where the log ended then."""
        self.batches: list[tuple[str, int, bool]] = []
        """Of each batch: its correlation id, how many events it has, and whether it was told."""
        self._seen: dict[Ref, int] = {}
        """The version of each record that somebody has looked at, as it was then."""
        self._count = 0

    def forget(self, left: int) -> None:
        """Forget what was told, as the log has lost what is behind a position."""
        self.stored = {key: at for key, at in self.stored.items() if at <= left}
        self.created = {ref: at for ref, at in self.created.items() if at <= left}
        self.batches.clear()

    def do(self, operation: Operation) -> None:
        """Do an operation, in one of the processes that run."""
        world = self._world
        if operation.kind == "foreign":
            self._foreign(operation)
            return
        try:
            process = world.alive(operation.b)
        except LookupError:
            self._again(operation)
            return
        if process.paused_until_s > world.clock.now_s:
            self._again(operation)
            return
        world.trace.say(process.name, " ".join(map(str, operation[1:])))
        act: Callable[[Process, Operation], None] = getattr(self, f"_{operation.kind}")
        act(process, operation)
        world.observe()

    def _again(self, operation: Operation) -> None:
        if not self._world.is_quiet:
            self._world.agenda.after(AGAIN_S, lambda: self.do(operation))

    def _tried(
        self, process: Process, operation: Operation, command: Callable[[Journal], Any]
    ) -> tuple[bool, Any]:
        """Carry out a command; say whether it was, and with what."""
        result, error = process.do(operation.kind, command)
        world = self._world
        world.observe()
        if error is None:
            return True, result
        if not isinstance(error, Crashed):
            world.trace.say(process.name, f"  {type(error).__name__}")
            invariants.i25(world, process)
        if isinstance(error, Crashed | LogError) and operation.kind in {"create", "delete"}:
            self._again(operation)  # it is safe to repeat
        if isinstance(error, LogUnavailableError):
            world.restart(process, "its log cannot be used")
        return False, None

    def _told(self, draft_id: str | None) -> None:
        """Note that somebody was told that this is stored."""
        if draft_id is not None:
            self.stored[draft_id] = len(self._world.rows)

    def _some(self, number: int) -> Ref | None:
        return self.refs[number % len(self.refs)] if self.refs else None

    # --- changes ---------------------------------------------------------------------------

    def _fields(self, operation: Operation, number: int) -> dict[str, object]:
        """Return fields for a record, by the numbers of an operation."""
        c = operation.c + number
        fields: dict[str, object] = {"Name": f"n{c}"}
        if c % 2:
            fields["Grade"] = c % 5
        if c % 7 == 0:
            fields["Note"] = None if c % 2 else f"ü{c}"
        target = self._some(c // 3)
        if c % 3 == 0 and target is not None:
            fields["Of"] = target
        if c % 11 == 0 and target is not None:
            fields["Lines"] = [c, {"For": target, "Text": target.id}]
        if c % 13 == 0:
            fields[POISON] = True
        return fields

    def _create(self, process: Process, operation: Operation) -> None:
        ref = Ref.of(TYPES[operation.c % 3], f"r{operation.a}")
        fields = self._fields(operation, 0)
        if ref in {*targets_of(fields)}:
            fields = {"Name": fields["Name"]}
        if ref in self.refs:  # it is tried again, with what it had before
            fields = self._given[ref]
        else:
            self._given[ref] = fields

        done, _ = self._tried(
            process, operation, lambda journal: journal.create(ref.type, fields, id=ref.id)
        )
        if ref not in self.refs:
            self.refs.append(ref)
        if done:
            self.created.setdefault(ref, len(self._world.rows))

    @property
    def _given(self) -> dict[Ref, dict[str, object]]:
        given: dict[Ref, dict[str, object]] = self.__dict__.setdefault("_fields_given", {})
        return given

    def _update(self, process: Process, operation: Operation) -> None:
        ref = self._some(operation.a)
        if ref is not None:
            fields = self._fields(operation, 1)
            there = self._world.oracle.versions.get(ref, 0)
            expected = self._seen.get(ref) if operation.b % 4 == 0 else None
            done, found = self._tried(
                process,
                operation,
                lambda journal: journal.update(ref, fields, expected_version=expected),
            )
            if done and expected not in {None, there}:
                self._world.broken("I6", f"{ref} was changed, and is not as it was seen")
            self._seen[ref] = self._world.oracle.versions.get(ref, 0)
            self._told(found if done else None)

    def _delete(self, process: Process, operation: Operation) -> None:
        ref = self._some(operation.a)
        if ref is not None:
            done, found = self._tried(process, operation, lambda journal: journal.delete(ref))
            self._told(found if done else None)

    def _batch(self, process: Process, operation: Operation) -> None:
        self._count += 1
        group = f"batch-{self._count}"
        planned: list[str] = []
        made: list[Ref] = []

        def command(journal: Journal) -> None:
            planned.clear()
            with journal.batch(correlation_id=group):
                for number in range(2 + operation.b % 3):
                    fields = self._fields(operation, number)
                    target = self._some(operation.a + number)
                    if (operation.c + number) % 3 == 0 or target is None:
                        ref = Ref.of(TYPES[number % 3], f"{group}-{number}")
                        journal.create(ref.type, fields, id=ref.id)
                        planned.append(ref)
                        made.append(ref)
                    elif (found := journal.update(target, fields)) is not None:
                        planned.append(found)

        done, _ = self._tried(process, operation, command)
        self.batches.append((group, len(planned), done))
        if done:
            self.refs += made
            for ref in made:
                self.created[ref] = len(self._world.rows)

    def _observe(self, process: Process, operation: Operation) -> None:
        ref = self._some(operation.a)
        if ref is None:
            return
        service, key = self._world.service, (ref.type, ref.id)
        fields = service.records().get(key)
        shown = None if fields is None else self.localised(fields)
        sid, version = service.sid(key), service.version(key)
        if sid is not None and Ref.of(ref.type, sid) in self._world.oracle.versions:
            return  # it is another one, which a pull has given a name of its own
        is_part = self._world.scenario.knobs.shows_part
        if is_part and shown is not None:
            shown, version = {name: shown.get(name) for name in PART}, None
        self._tried(
            process,
            operation,
            lambda journal: journal.observe(
                ref,
                shown,
                remote_id=sid,
                remote_version=version,
                partial=is_part and fields is not None,
            ),
        )

    def localised(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of the service with our references in them."""
        ids = self._world.service.ids
        known = {sid: Ref.of(*key) for key, sids in ids.items() for sid in (*sids, key[1])}
        return {
            name: _localised(value, known) if name in _REFERRING else value
            for name, value in fields.items()
        }

    # --- decisions -------------------------------------------------------------------------

    def _drafts(self, *, held: bool) -> list[Expected]:
        found = self._world.oracle.pending.values()
        return [draft for draft in found if not held or draft.held_as is not None]

    def _amend(self, process: Process, operation: Operation) -> None:
        drafts = self._drafts(held=operation.c % 3 != 0) or self._drafts(held=False)
        if drafts:
            draft = drafts[operation.a % len(drafts)]
            changes: dict[str, object] = {"Name": f"amended{operation.c}"}
            target = self._some(operation.c)
            if operation.c % 5 == 0 and target not in {None, draft.ref}:
                changes["Of"] = target
            self._tried(
                process,
                operation,
                lambda journal: journal.amend(draft.draft_id, changes, remove=(POISON,)),
            )

    def _discard(self, process: Process, operation: Operation) -> None:
        drafts = self._drafts(held=operation.c % 3 != 0)
        if drafts:
            draft = drafts[operation.a % len(drafts)]
            self._tried(
                process,
                operation,
                lambda journal: journal.discard(draft.draft_id, force=operation.c % 4 == 0),
            )

    def _retry(self, process: Process, operation: Operation) -> None:
        drafts = self._drafts(held=True)
        if drafts:
            draft = drafts[operation.a % len(drafts)]
            self._tried(process, operation, lambda journal: journal.retry(draft.draft_id))

    def _resolve(self, process: Process, operation: Operation) -> None:
        drafts = self._drafts(held=True)
        if not drafts:
            return
        draft = drafts[operation.a % len(drafts)]
        if draft.held_as in {"conflict", "gone"}:
            policy = _POLICIES[operation.c % 3]
            fields = {"Name": f"resolved{operation.c}"} if operation.c % 5 == 0 else None
            self._tried(
                process,
                operation,
                lambda journal: journal.resolve(draft.draft_id, policy, fields=fields),  # type: ignore[arg-type]
            )
        elif draft.held_as == "unknown":
            service, key = self._world.service, (draft.ref.type, draft.ref.id)
            if service.applied[draft.key] and service.sid(key) is not None:  # somebody looks there
                sid, last = service.sid(key), service.last_of(key)
                # A version that somebody else has made would hide what they have changed.
                version = service.version(key) if last == draft.key else None
                self._tried(
                    process,
                    operation,
                    lambda journal: journal.resolve(
                        draft.draft_id, applied=True, remote_id=sid, remote_version=version
                    ),
                )
            else:
                self._tried(process, operation, lambda journal: journal.retry(draft.draft_id))

    # --- the sender ------------------------------------------------------------------------

    def _pull(self, process: Process, operation: Operation) -> None:
        if operation.c % 2:  # what is changed here meanwhile must not be set back
            self._update(process, operation._replace(kind="update"))
        if len(process.tasks) == 1 and not process.is_dead:
            process.pull(lambda: None)

    def _stop(self, process: Process, operation: Operation) -> None:
        self._tried(process, operation, lambda journal: journal.stop_queue())

    def _start(self, process: Process, operation: Operation) -> None:
        self._tried(process, operation, lambda journal: journal.start_queue())

    def _nudge(self, process: Process, _: Operation) -> None:
        process.is_nudged = True
        process.heard()

    def _read(self, process: Process, operation: Operation) -> None:
        """Read the projections, which catch up."""
        done, found = self._tried(
            process, operation, lambda journal: [d.draft for d in Drafts(journal).pending()]
        )
        if done:
            invariants.i10_shown(self._world, found)
        ref = self._some(operation.a)
        if ref is not None:
            self._tried(process, operation, lambda journal: Records(journal).list(ref.type))

    # --- another writer --------------------------------------------------------------------

    def _foreign(self, operation: Operation) -> None:
        world = self._world
        action = ("update", "update", "update", "delete", "create", "update")[operation.b % 6]
        ref = self._some(operation.a)
        if ref is None or world.is_quiet:
            return
        key = (
            (ref.type, ref.id)
            if action != "create" or operation.c % 2
            else (TYPES[0], f"f{operation.a}")
        )
        fields: dict[str, Any] = {"Name": f"foreign{operation.c}"}
        if operation.c % 3 == 0:
            fields = {"Phone": f"+{operation.c}"}
        elif operation.c % 5 == 0:
            fields = {"Name": f"n{operation.c}"}
        world.trace.say("foreign", f"{action} {':'.join(key)} {fields}")
        world.service.foreign(action, key, fields, world.clock.now_s)


def _localised(value: Any, known: dict[str, Ref]) -> Any:  # noqa: ANN401  JSON
    """Return a value with our references in it, at the places for them."""
    match value:
        case str():
            return known.get(value, value)
        case [number, {"For": name, **others}]:
            return [number, {"For": known.get(name, name), **others}]
        case _:
            return value
