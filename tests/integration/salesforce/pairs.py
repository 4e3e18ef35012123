"""The same drafts sent to two orgs, one by one and together, and all that came of it on both."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import httpx

from journal import Journal
from journal.events import ConflictResolved, DraftAcknowledged, DraftDiscarded, DraftHeld
from journal.policies import Policies
from journal.remotes import Salesforce
from journal.sync import Subscriber
from journal.testing.salesforce import Org
from journal.testing.salesforce.service import Sent
from projections import Drafts
from tests.integration.salesforce.hands import Hands
from tests.integration.salesforce.sending import SOON, content
from tests.replay.fixed import FixedSources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from journal import Ref
    from journal.sync import Report

URL: Final = "http://127.0.0.1:9"
_SENDER: Final = "integration@stand-in.example"
_OBJECTS: Final = ("Account", "Contact", "Visit__c")
_KNOWN: Final = (
    "Name",
    "LastName",
    "Phone",
    "Title",
    "Description",
    "Status__c",
    "Notes__c",
    "AccountId",
    "Account__c",
    "LastModifiedDate",
    "Journal_Key__c",
    "Journal_Made_At__c",
    "Journal_Actor__c",
    "Journal_Reason__c",
)


class Direct(httpx.BaseTransport):
    """Takes requests to an org in this process, without a socket between."""

    def __init__(self, org: Org) -> None:
        """Reach that org."""
        self._org = org

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, unless a fault ends the connection."""
        headers = {name.lower(): text for name, text in request.headers.items()}
        target = request.url.raw_path.decode()
        sent = Sent(request.method, target, headers, request.read())
        delivery = self._org._service.deliver(sent)
        if delivery.fault is not None and delivery.fault.kind in {
            "drop_before",
            "drop_after",
            "delay",
            "truncate",
        }:
            raise httpx.ReadError("the connection is lost")
        answer = delivery.answer
        is_text = isinstance(answer.document, str) and answer.media_type.startswith("text/")
        text = answer.document if is_text else json.dumps(answer.document)
        body = b"" if answer.document is None else text.encode()
        named = {"content-type": answer.media_type, **answer.headers}
        return httpx.Response(answer.status, headers=named, content=body)


class Scene:
    """A journal with its changes, and an org that they are to be sent to."""

    def __init__(self, journal: Journal, org: Org, clock: Hands) -> None:
        """Begin with nothing on either side."""
        self.journal, self.org, self.clock = journal, org, clock

    def known(self, sobject: str, **fields: Any) -> Ref:  # noqa: ANN401  JSON
        """Return a record of the org that was pulled."""
        from journal import Ref  # noqa: PLC0415

        found = self.org.get(self.org.create(sobject, fields)) or {}
        ref = Ref(f"{sobject.removesuffix('__c')}:{found['Id']}")
        seen = {name: found[name] for name in fields}
        version = found["LastModifiedDate"]
        self.journal.observe(ref, seen, remote_id=found["Id"], remote_version=version)
        return ref


class Ended(NamedTuple):
    """What came of it, with no id of the org in it."""

    effects: list[str]
    """What our user did in the org, in order."""
    there: list[str]
    """The records that the org has."""
    drafts: list[str]
    """What became of each draft, in the order of the making."""
    queue: list[str]
    """What is pending, and why."""
    here: list[str]
    """The records as they are here."""


class Side(NamedTuple):
    """One of the two."""

    ended: Ended
    report: Report
    calls: int
    """How many requests it took."""
    org: Org


def sent(
    begin: Callable[[Scene], object],
    *,
    policies: Any = "merge",  # noqa: ANN401  names, or rules
    on_held: Any = "lane",  # noqa: ANN401  a name
    transport: Callable[[Org], Direct] = Direct,
    **settings: Any,  # noqa: ANN401  any key
) -> Side:
    """Make the changes, send them, and return what came of it.

    Args:
        begin: makes the changes, and sets up the org.
        policies: for conflicts.
        on_held: what a held draft stops.
        transport: how the org is reached; where that ends the sender, another one sends the rest.
        settings: of the org.
    """
    hands = Hands()
    org = Org(clock=hands)
    with Journal(actor="ann", origin="van-7", sources=FixedSources()) as journal:
        begin(Scene(journal, org, hands))

        def drained(way: Direct) -> Report:
            said = {**content(URL, **settings), "auth": {}}
            with (
                httpx.Client(transport=way) as client,
                Subscriber(
                    journal,
                    Salesforce.of(said, bearer=org.access_token),
                    backoff=SOON,
                    conflicts=Policies(default=policies),
                    on_held=on_held,
                    attempts=12,
                    rejections=None,
                    client=client,
                ) as subscriber,
            ):
                return subscriber.drain(60)

        try:
            report = drained(transport(org))
        except KeyboardInterrupt:
            report = drained(Direct(org))
        return Side(ended(journal, org), report, len(org.requests), org)


def ended(journal: Journal, org: Org) -> Ended:
    """Return what came of it on both sides."""
    ours = org.user_id(_SENDER)
    done = [each for each in org.effects if each.by == ours]
    ids = list(dict.fromkeys(effect.id for effect in org.effects))

    def told(found: Sequence[object]) -> list[str]:
        return [_without(ids, each) for each in found]

    effects = [(e.operation, e.sobject, e.id, _plain(e.fields)) for e in done]
    there = [_plain(record) for name in _OBJECTS for record in org.records(name)]
    entries = list(journal.log.scan())
    drafts = list(_became(entries))
    pending = [(p.draft.draft_id, p.draft.state, p.why) for p in Drafts(journal).pending()]
    refs = dict.fromkeys(entry.stream for entry in entries)
    here = [_folded(journal, ref) for ref in refs]
    return Ended(told(effects), told(there), told(drafts), told(pending), told(here))


def _plain(fields: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    return {name: fields[name] for name in _KNOWN if name in fields}


def _without(ids: Sequence[str], found: object) -> str:
    text = json.dumps(found, default=str, sort_keys=True)
    for n, record_id in enumerate(ids):
        text = text.replace(record_id, f"#{n}")
    return text


def _became(entries: Sequence[Any]) -> Iterator[object]:
    """Yield what became of the drafts, in the order in which the journal has it."""
    for entry in entries:
        match entry.event:
            case DraftAcknowledged() as event:
                yield event.draft_id, event.revision, event.remote_id, event.status, entry.reason
            case DraftHeld() as event:
                said = [message.model_dump() for message in event.messages]
                yield event.draft_id, event.revision, event.classification, said, event.answer
            case ConflictResolved() as event:
                chosen = [each.model_dump() for each in event.resolutions]
                yield event.draft_id, event.revision, event.kind, event.fields, chosen
            case DraftDiscarded() as event:
                yield event.draft_id
            case _:
                pass


def _folded(journal: Journal, ref: Any) -> object:  # noqa: ANN401  a stream
    record = journal.load(ref)
    remote = record.remote
    changes = [(c.draft_id, c.kind, c.fields, c.base, c.revision, c.state) for c in record.changes]
    there = remote.exists, remote.fields, remote.remote_id, remote.version
    return str(ref), record.fields, there, changes
