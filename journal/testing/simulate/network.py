"""The network of the simulated world: requests out, answers in, and what may become of both.

It is the seam at which a remote's requests leave: what a wire adds to them is added here, and
what a wire makes of trouble (no answer, sent or not) is what a session is given.
"""

from __future__ import annotations

import json
from email.utils import formatdate
from typing import TYPE_CHECKING, Final, NamedTuple

from journal.remotes.remote import NoAnswer, Response
from journal.testing.simulate.clock import BEGIN_US
from journal.testing.simulate.service import REFUSED, Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from journal.remotes.remote import Answer, Remote, Request
    from journal.testing.simulate.clock import Agenda, VirtualClock
    from journal.testing.simulate.dice import Dice
    from journal.testing.simulate.scenario import Fault, Knobs
    from journal.testing.simulate.service import ModelService
    from journal.testing.simulate.traces import Trace

PAGE: Final = b"<!doctype html><html><title>Hotel</title><body>Welcome</body></html>"
_HTML: Final = {"content-type": "text/html"}
LOST: Final = NoAnswer(was_sent=True, problem="the connection broke")
UNSENT: Final = NoAnswer(was_sent=False, problem="connection refused")
UNTRUSTED: Final = NoAnswer(
    was_sent=False, problem="the certificate has expired", cause="configuration"
)
KEYLESS: Final = NoAnswer(was_sent=False, problem="there is no token", cause="credentials")
BUSY_TOKEN: Final = NoAnswer(was_sent=False, problem="another request asks for it", cause="turn")

_INSTEAD: Final[dict[str, Response]] = {
    "page": Response(200, _HTML, PAGE),
    "511": Response(511, _HTML, PAGE),
    "407": Response(407, {}, b""),
    "proxy": Response(503, {"x-squid-error": "ERR_DNS_FAIL 0"}, b""),
    "301": Response(301, {"location": "https://elsewhere.example/"}),
    "302": Response(302, {"location": "https://elsewhere.example/"}),
    "307": Response(307, {"location": "https://elsewhere.example/"}),
    "308": Response(308, {"location": "http://service.example/"}),
    "408": Response(408),
    "425": Response(425),
    "429": Response(429),
    "500": Response(500, _HTML, b"<h1>Internal Server Error</h1>"),
    "502": Response(502, _HTML, b"<html>Bad Gateway</html>"),
    "504": Response(504),
    "501": Response(501, {}, b'{"detail": "not here"}'),
    "409 outstanding": Response(
        409, {}, b'{"type": "about:idempotency-key", "detail": "request is still in progress"}'
    ),
    "422 reused": Response(
        422, {}, b'{"detail": "the idempotency key was used with a different request"}'
    ),
}
"""What somebody answers in the place of the service, which has not been asked."""
_GONE: Final = frozenset({"404", "410"})
_ROW: Final = 4
"""Within how many requests the service does not deny twice that there is a record."""
_LIST: Final = 2
"""How many parts the path of a list has."""
_STATUS: Final = ("400", "403", "404", "409", "410", "412", "413", "422")
_THOUGH_DONE: Final[dict[str, Response]] = {
    "500 though done": _INSTEAD["500"],
    "504 though done": _INSTEAD["504"],
    "412 though done": Response(412, {}, b'{"detail": "another version"}'),
    "409 though done": Response(409, {}, b'{"detail": "there is one"}'),
    "422 though done": Response(422, {}, b'{"detail": "no good"}'),
}
"""What is said of what the service has done, in the place of its answer."""
_MANGLED: Final = {
    "no JSON": b'{"id": ',
    "NaN": b'{"id": NaN}',
    "latin-1": b'{"id": "\xe4"}',
    "mark": b'\xef\xbb\xbf{"id": 1}',
    "twice": b'{"id": 1, "id": 2}',
    "deep": b"[" * 5_000,
    "list": b"[1, 2]",
    "empty": b"{}",
    "nothing": b"",
    "stranger": b'{"id": "nobody", "key": "nobody", "sid": "S999", "Name": "a stranger"}',
}
"""What is left of a body on the way."""


_INVENTED: Final = frozenset({"no JSON", "empty", "nothing", "list"})
"""Of these, what somebody on the way may also say by himself, with the status of a success."""


class Exchange(NamedTuple):
    """A request that is under way."""

    number: int
    sender: str
    sent: Sent
    began_s: float


class Network:
    """Carries requests to the service, and answers back."""

    def __init__(  # noqa: PLR0913  what it is between
        self,
        knobs: Knobs,
        *,
        service: ModelService,
        agenda: Agenda,
        clock: VirtualClock,
        dice: Dice,
        trace: Trace,
        faults: Sequence[Fault],
        hit: Callable[[int], None],
    ) -> None:
        """Begin with nothing under way.

        Args:
            knobs: how long a request may take, above all.
            service: at the other end.
            agenda: of the world.
            clock: of the world.
            dice: for how long things take.
            trace: of the run.
            faults: at the numbers of requests, or, of what lasts, from a second on.
            hit: told the row of each fault when it happens.
        """
        self.count = 0
        self.is_quiet = False
        self.late = 0
        """How many copies of requests are still on their way."""
        self.on_departure: Callable[[Exchange], None] = lambda _: None
        self.on_arrival: Callable[[Exchange, Answer], None] = lambda _, __: None
        self.on_effects: Callable[[Exchange], None] = lambda _: None
        self.on_death: Callable[[str, str], None] = lambda _, __: None
        self._knobs = knobs
        self._service = service
        self._agenda = agenda
        self._clock = clock
        self._dice = dice
        self._trace = trace
        self._hit = hit
        self._single: dict[int, list[Fault]] = {}
        self._lasting: list[Fault] = []
        for fault in faults:
            if fault.kind.startswith("while "):
                self._lasting.append(fault)
            else:
                self._single.setdefault(fault.at, []).append(fault)
        self._last: dict[bool, Response] = {}
        self._is_misread = False
        self._denied = -10

    def send(
        self, sender: str, remote: Remote, request: Request, back: Callable[[Answer], None]
    ) -> None:
        """Let a request leave; its answer comes back later, or that there was none."""
        self.count += 1
        headers = {
            name.lower(): text for name, text in {**remote.headers(), **request.headers}.items()
        }
        sent = Sent(request.method, request.path, headers, request.body)
        exchange = Exchange(self.count, sender, sent, self._clock.now_s)
        fault = self._fault()
        kind = "" if fault is None else fault.kind
        if fault is not None and kind == "dies before the request":
            self._hit(fault.row)
            self.on_death(sender, "before a request")
            return
        self.on_departure(exchange)
        what = f"  <- {kind}" if kind else ""
        draft = f" of {sent.draft[-6:]}" if sent.draft else ""
        self._trace.say(sender, f"#{self.count} {sent.method} {sent.path}{draft}{what}")

        def came(answer: Answer) -> None:
            self._trace.say(sender, f"#{exchange.number} {_told(answer)}")
            if kind == "dies with the answer":
                self.on_death(sender, "with the answer")
                return
            self.on_arrival(exchange, answer)
            back(answer)

        if fault is not None and kind == "dies after the request":
            self._hit(fault.row)
            self._carry(exchange, None, came)
            self.on_death(sender, "after a request")
            return
        self._carry(exchange, fault, came)

    def _fault(self) -> Fault | None:
        if self.is_quiet:
            return None
        for fault in self._single.pop(self.count, ()):
            if fault.kind in _GONE and self._is_denied_again():
                continue
            return fault
        now_s = self._clock.now_s
        for fault in self._lasting:
            if fault.at <= now_s < fault.at + fault.more and self._dice.chance(0.8):
                return fault._replace(kind=self._during(fault))
        return None

    def _is_denied_again(self) -> bool:
        """Deny that there is a record; say whether that was just done: then it is believed."""
        is_again, self._denied = self.count - self._denied <= _ROW, self.count
        return is_again

    def _during(self, fault: Fault) -> str:
        match fault.kind:
            case "while away":
                return "not sent"
            case "while flapping":
                return self._dice.one_of(("not sent", "request lost", "answer lost", "passed"))
            case "while in a hotel":
                return self._dice.one_of(("page", "511", "407"))
            case "while failing":
                return self._dice.one_of(("500", "502", "504", "500 though done"))
            case _:
                return self._dice.one_of(("429", "503 in seconds", "503 at a date"))

    # --- one exchange ----------------------------------------------------------------------

    def _carry(
        self, exchange: Exchange, fault: Fault | None, came: Callable[[Answer], None]
    ) -> None:
        there_s, back_s = self._dice.uniform(0.005, 0.15), self._dice.uniform(0.005, 0.15)
        if fault is None:
            self._agenda.after(there_s, lambda: self._pass(exchange, back_s, came))
            return
        kind = fault.kind
        if kind not in {"other answer", "passed", "items missing", "items swapped"}:
            self._hit(fault.row)
        if kind in {"not sent", "untrusted", "keyless", "busy token"}:
            answer = {
                "not sent": UNSENT,
                "untrusted": UNTRUSTED,
                "keyless": KEYLESS,
                "busy token": BUSY_TOKEN,
            }[kind]
            self._agenda.after(there_s, lambda: came(answer))
        elif kind == "request lost":
            self._agenda.after(self._broken_s(fault), lambda: came(LOST))
        elif kind in _INSTEAD:
            self._agenda.after(there_s + back_s, lambda: came(_INSTEAD[kind]))
        elif kind.startswith(("429 ", "503 ")):
            self._agenda.after(there_s + back_s, lambda: came(self._patience(fault)))
        elif kind == "echo":
            told = f"Authorization was {exchange.sent.headers.get('authorization')}"
            echo = Response(400, {}, json.dumps({"detail": told}).encode())
            self._agenda.after(there_s + back_s, lambda: came(echo))
        elif kind in _INVENTED and fault.at % 2:
            self._agenda.after(there_s + back_s, lambda: came(_invented(exchange.sent, kind)))
        elif kind in _STATUS:
            said = Response(int(kind), {}, b'{"detail": "no such thing"}')
            self._agenda.after(there_s + back_s, lambda: came(said))
        elif kind == "late":
            self._delay(exchange, fault)
            self._agenda.after(self._broken_s(fault), lambda: came(LOST))
        else:
            self._agenda.after(there_s, lambda: self._mangle(exchange, fault, back_s, came))

    def _broken_s(self, fault: Fault) -> float:
        """Return how long it takes to notice that there will be no answer."""
        return self._knobs.request_s if fault.at % 2 else self._dice.uniform(0.01, 0.5)

    def _done(self, exchange: Exchange) -> Response:
        """Let the service do what was asked, now."""
        before = len(self._service.effects)
        response = self._service.answer(exchange.sent, self._clock.now_s)
        for effect in self._service.effects[before:]:
            self._trace.say(
                "service", f"{effect.action} {':'.join(effect.key)} of {effect.draft[-6:]}"
            )
        if len(self._service.effects) > before:
            self.on_effects(exchange)
        return response

    def _pass(self, exchange: Exchange, back_s: float, came: Callable[[Answer], None]) -> None:
        response = self._done(exchange)
        if not exchange.sender.endswith("pull"):
            is_read = not exchange.sent.is_write
            self._last[is_read] = response
            self._is_misread &= not is_read
        self._agenda.after(back_s, lambda: came(response))

    def _delay(self, exchange: Exchange, fault: Fault) -> None:
        """Keep a copy of a request on the way for long, while others overtake it."""
        self.late += 1

        def arrived() -> None:
            self.late -= 1
            if self._is_harmless(exchange):
                self._trace.say("network", f"#{exchange.number} arrives late")
                self._done(exchange)

        self._agenda.after(max(fault.more, 0.2), arrived)

    def _is_harmless(self, exchange: Exchange) -> bool:
        """Say whether a client can do something about a late copy, with this service.

        No client can where the service has no conditions; nor against a late create of a record
        that was deleted since, where the service forgets what is gone, and whose request it was.
        """
        sent = exchange.sent
        if not sent.is_write or self._service.remembers(sent.draft, self._clock.now_s):
            return True
        is_keyed = self._knobs.dialect == "keyed"
        if self._knobs.dialect == "plain" or (sent.method == "POST" and not is_keyed):
            return False
        parts = sent.path.split("/")
        is_create = sent.method in {"PUT", "POST"}
        name = json.loads(sent.body or b"{}").get("key") if len(parts) == _LIST else parts[2]
        past = self._service.past.get((parts[1], name), [None])
        return not is_create or len(past) == 1 or past[-1] is not None

    def _mangle(
        self, exchange: Exchange, fault: Fault, back_s: float, came: Callable[[Answer], None]
    ) -> None:
        """Let the service do it, and the answer suffer."""
        kind = fault.kind
        response = self._done(exchange)
        if kind in {"answer lost", "slow"}:
            lost_s = self._knobs.request_s if kind == "slow" else self._broken_s(fault)
            self._agenda.after(lost_s, lambda: came(LOST))
            return
        if kind.startswith("twice"):
            again = self._done(exchange)
            answer: Answer = response if kind == "twice" else again
        elif kind == "other answer":
            answer = self._another(exchange, response, fault)
        elif kind == "cut":
            answer = LOST if fault.at % 2 else response._replace(body=response.body[:-4])
        elif kind in {"items missing", "items swapped"}:
            answer = self._unlike(exchange, response, fault)
        elif kind in _MANGLED and response.body and response.status < REFUSED:
            answer = response._replace(body=_MANGLED[kind])
        else:
            answer = _THOUGH_DONE.get(kind, response)
        self._agenda.after(back_s, lambda: came(answer))

    def _another(self, exchange: Exchange, response: Response, fault: Fault) -> Response:
        """Give the answer to an earlier request of its kind, never twice in a row to reads.

        What is without a body tells nobody whose answer it is.
        """
        is_read = not exchange.sent.is_write
        earlier = self._last.get(is_read)
        is_pull = exchange.sender.endswith("pull")  # a list does not say whose it is
        is_delete = exchange.sent.method == "DELETE"  # whatever names the record is a receipt
        is_refused = is_delete and response.status >= REFUSED
        if (
            is_pull
            or is_refused
            or earlier is None
            or not earlier.body
            or (is_read and self._is_misread)
            or (str(earlier.status) in _GONE and self._is_denied_again())
        ):
            return response
        self._hit(fault.row)
        self._is_misread |= is_read
        return earlier

    def _unlike(self, exchange: Exchange, response: Response, fault: Fault) -> Response:
        """Lose the last part of an answer to several drafts, or turn it around."""
        if not exchange.sent.path.startswith("/-/") or response.status >= REFUSED:
            return response
        items = json.loads(response.body)
        kept = items[:-1] if fault.kind == "items missing" else items[::-1]
        self._hit(fault.row)
        return response._replace(body=json.dumps(kept).encode())

    def _patience(self, fault: Fault) -> Response:
        """Ask for patience, in one of the forms in which that is done."""
        status, _, how = fault.kind.partition(" ")
        now_s = BEGIN_US / 1e6 + self._clock.now_s - 1234.0  # the service's clock is another
        seconds = fault.more or 2.0
        asked = {
            "in seconds": str(int(seconds)),
            "at a date": formatdate(now_s + int(seconds), usegmt=True),
            "in the past": "Sun, 06 Nov 1994 08:49:37 GMT",
            "without sense": "soon",
        }[how]
        return Response(int(status), {"retry-after": asked, "date": formatdate(now_s, usegmt=True)})


def _invented(sent: Sent, kind: str) -> Response:
    """Return a success that is none: the service has not been asked.

    A queue on the way says that it has accepted a change, and repeats it, before it loses it.
    """
    headers = {"content-type": "application/json"}
    if kind != "empty" or not sent.body or sent.method == "POST":
        return Response(200, headers, _MANGLED[kind])
    repeated = {"id": sent.path.rpartition("/")[2], **json.loads(sent.body)}
    return Response(202, headers, json.dumps(repeated).encode())


def _told(answer: Answer) -> str:
    if isinstance(answer, NoAnswer):
        return f"no answer: {answer.problem}"
    return f"{answer.status} {answer.body[:60].decode('utf-8', 'replace')}"
