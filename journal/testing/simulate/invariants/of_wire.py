"""The invariants of what is sent, of what comes back, and of what the service has done."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from journal.remotes.remote import NoAnswer, Response
from journal.testing.simulate.invariants.of_sights import carried_out
from journal.testing.simulate.invariants.remembered import (
    CANARY,
    FOREIGN,
    MISSING,
    PATIENT,
    SLACK_S,
    UNREAD,
)
from journal.testing.simulate.service import REFUSED, Sent

if TYPE_CHECKING:
    from journal.remotes.remote import Answer
    from journal.testing.simulate.network import Exchange
    from journal.testing.simulate.world import World


def at_departure(world: World, exchange: Exchange) -> None:
    """Check a request that leaves."""
    i16(world, exchange)
    i18(world, exchange)
    i19_sent(world, exchange)
    for sent in _parts(exchange.sent):
        i15(world, sent)
        i21(world, exchange.sender, sent)
    if not exchange.sent.is_write:
        world.checks.sights.read_s[exchange.sender] = exchange.began_s
    world.checks.last_was_read[exchange.sender] = not exchange.sent.is_write


def _parts(sent: Sent) -> list[Sent]:
    """Return the writes in a request."""
    if not sent.path.startswith("/-/"):
        return [sent] if sent.draft else []
    parts = []
    for each in json.loads(sent.body or b"[]"):
        headers = {name.lower(): text for name, text in each["headers"].items()}
        body = None if each["body"] is None else json.dumps(each["body"]).encode()
        parts.append(Sent(each["method"], each["path"], headers, body))
    return parts


def i15(world: World, sent: Sent) -> None:
    """Check that a key always comes with the same request, to the byte."""
    body = sent.body if sent.body is None else json.dumps(json.loads(sent.body)).encode()
    if world.scenario.knobs.dialect != "together":
        body = sent.body  # there the list around it is written anew
    for first, *others in world.service.ids.values():  # what is referred to may be made anew
        for sid in others:
            body = body and body.replace(b'"%s"' % sid.encode(), b'"%s"' % first.encode())
    now = (sent.method, sent.path, body)
    before = world.checks.requests.setdefault(sent.draft, now)
    if before != now:
        world.broken("I15", f"the key {sent.draft[-8:]} was sent with {before}, and now {now}")
    if sent.draft not in world.oracle.by_key and sent.draft not in world.service.applied:
        world.broken("I15", f"the key {sent.draft[-8:]} is that of no draft")


def i16(world: World, exchange: Exchange) -> None:
    """Check that no other sender, that is awake, has a request under way."""
    if exchange.sender not in world.processes:
        return
    for name, other in world.checks.in_flight.items():
        process = world.processes[name]
        if name == exchange.sender or process is None or process.is_dead:
            continue
        sender = world.processes[exchange.sender]
        is_excused = process.paused_at_s >= other.began_s or (
            sender is not None and sender.paused_at_s >= other.began_s
        )
        if not is_excused:
            world.broken("I16", f"#{exchange.number} leaves while #{other.number} is under way")
    world.checks.in_flight[exchange.sender] = exchange


def i16_fenced(world: World, actor: str, *, is_holder: bool) -> None:
    """Check that a sender appends only with the fence of the lease that it holds."""
    if actor == "sync" and not is_holder:
        world.broken("I16", "something is appended by a sender that has no lease")


def i18(world: World, exchange: Exchange) -> None:
    """Check that the time is over for which the service asked to be left alone."""
    not_before_s = world.checks.not_before_s.get(exchange.sender, 0.0)
    if exchange.began_s < not_before_s - SLACK_S:
        early_s = not_before_s - exchange.began_s
        world.broken("I18", f"#{exchange.number} leaves {early_s:.3f} s too early")


def i19_sent(world: World, exchange: Exchange) -> None:
    """Check that the secret is in the header for it only, and in that of our service."""
    sent = exchange.sent
    others = {name: text for name, text in sent.headers.items() if name != "authorization"}
    if CANARY in f"{sent.path}{others}" or CANARY.encode() in (sent.body or b""):
        world.broken("I19", f"#{exchange.number} has the secret at a wrong place")


def i19_said(world: World, lines: list[str]) -> None:
    """Check that no secret is in the log of the program, and nothing where nothing went wrong."""
    scenario = world.scenario
    is_calm = not (scenario.faults or any(each.kind == "foreign" for each in scenario.operations))
    if lines and is_calm:
        world.broken("row 48", f"nothing went wrong, and it says: {lines[0]}")
    for line in lines:
        if CANARY in line:
            world.broken("I19", "the log of the program says the secret")


def i21(world: World, sender: str, sent: Sent) -> None:
    """Check that a key that may be forgotten there is not sent again without a look."""
    now_s, knobs = world.clock.now_s, world.scenario.knobs
    before_s = world.checks.last_sent_s.get(sent.draft)
    world.checks.last_sent_s.setdefault(sent.draft, now_s)
    is_old = before_s is not None and now_s - before_s > knobs.remembered_s + 1.0
    if world.clock.has_gone_back:
        return  # how old a request is, is told by the clock on the wall, across restarts
    process = world.processes[sender.split(" ", 1)[0]]
    if process is not None and process.paused_at_s > (before_s or 0.0):
        return  # it was young enough before the process was paused
    if is_old and knobs.dialect == "keyed" and not world.checks.last_was_read.get(sender):
        world.broken("I21", f"{sent.draft[-8:]} is sent again, unread, after its time")


def at_arrival(world: World, exchange: Exchange, answer: Answer) -> None:
    """Remember what an answer asks for."""
    checks = world.checks
    if checks.in_flight.get(exchange.sender) is exchange:
        del checks.in_flight[exchange.sender]
    status = answer.status if isinstance(answer, Response) else 0
    if status >= REFUSED and status not in MISSING and not exchange.sent.is_write:
        checks.cannot_read.add(exchange.sender)
    else:
        checks.cannot_read.discard(exchange.sender)
    is_untouched = not answer.was_sent if isinstance(answer, NoAnswer) else answer.status in UNREAD
    for sent in _parts(exchange.sent) if is_untouched else ():
        if checks.last_sent_s.get(sent.draft) == exchange.began_s:
            del checks.last_sent_s[sent.draft]
    if isinstance(answer, NoAnswer) or answer.status not in PATIENT:
        return
    if "x-squid-error" in answer.headers:
        return
    asked_s = _asked_s(answer)
    least_s = min(1.0, world.scenario.knobs.most_s) if asked_s is None else asked_s
    checks.not_before_s[exchange.sender] = world.clock.now_s + least_s


def _asked_s(answer: Response) -> float | None:
    asked = answer.headers.get("retry-after", "")
    if asked.isdigit():
        return min(float(asked), 3600.0)
    try:
        until = parsedate_to_datetime(asked)
        since = parsedate_to_datetime(answer.headers["date"])
    except (ValueError, KeyError):
        return None
    return min(max((until - since).total_seconds(), 0.0), 3600.0)


def after_effects(world: World, exchange: Exchange) -> None:
    """Check what the service has done for a request."""
    carried_out(world, exchange)
    i12(world)
    lost_update(world)


def i12(world: World) -> None:
    """Check that the last effect is the first of its draft."""
    *before, effect = world.service.effects
    if not effect.draft or world.service.applied[effect.draft] < 2:  # noqa: PLR2004  once more
        return
    for other in reversed(before):
        if other.key == effect.key and other.action == "delete" and not other.draft:
            return  # what it made was deleted by others
        if other.draft == effect.draft:
            world.broken("I12", f"{effect.action} of {':'.join(effect.key)} was done twice")


def lost_update(world: World) -> None:
    """Check that what another writer has written is overwritten only by who knew of it."""
    effect = world.service.effects[-1]
    draft = world.oracle.by_key.get(effect.draft)
    if draft is None or effect.action == "create":
        return
    if world.scenario.knobs.dialect == "plain":
        return  # there is a moment between the look and the write
    if effect.action == "delete" and world.oracle.receipts.get(draft.ref, 0) > draft.decided_at:
        return  # it goes by what our own change has left behind
    before = world.service.past[effect.key][-2] or {}
    known = world.checks.known.get(draft.ref, {})
    for name in before if effect.action == "delete" else effect.body:
        value = before.get(name)
        is_theirs = isinstance(value, str) and value.startswith(FOREIGN)
        if is_theirs and known.get((name, value), draft.decided_at) >= draft.decided_at:
            world.broken("lost update", f"{draft.ref} had {name} {value!r}, of which nobody knew")
