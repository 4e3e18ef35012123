"""Several requests in one, one after another, each for itself: `composite/batch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.testing.salesforce.call import Call, body_of, call_to, flag
from journal.testing.salesforce.parts import FIRST_ERROR, Run, unusable
from journal.testing.salesforce.refusal import Answer, Content, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journal.testing.salesforce.state import State

__all__ = ["on_batch"]

PARTS_MOST: Final = 25


def on_batch(state: State, call: Call, run: Run) -> Answer:
    """Run requests one after another, each for itself; each counts as a call.

    Raises:
        RefusedError: it cannot be read: nothing has run.
    """
    body = body_of(call.content)
    listed = body.get("batchRequests")
    if not isinstance(listed, list) or not listed:
        raise unusable("batchRequests is not a list of requests")
    if len(listed) > PARTS_MOST:
        raise unusable(f"the request has more than {PARTS_MOST} subrequests")
    halts = flag(body.get("haltOnError"))
    results: list[Content] = []
    has_errors = False
    for each in listed:
        if has_errors and halts:
            message = "Batch processing halted, since you have specified haltOnError"
            code = "BATCH_PROCESSING_HALTED"
            results.append({"statusCode": 412, "result": [{"errorCode": code, "message": message}]})
            continue
        answer = _one(state, call, body_of(each), run)
        has_errors |= answer.status >= FIRST_ERROR
        results.append({"statusCode": answer.status, "result": answer.document})
    state.count_calls(len(listed) - 1)
    return Answer(200, {"hasErrors": has_errors, "results": results})


def _one(state: State, call: Call, said: Mapping[str, Content], run: Run) -> Answer:
    method, url = str(said.get("method", "")).upper(), str(said.get("url", ""))
    path = url if url.startswith("/services/data/") else f"/services/data/{url.lstrip('/')}"
    try:
        part = call_to(method, path, {}, said.get("richInput"), call.caller)
        if part.resource[:1] == ("composite",) and part.resource[1:2] != ("sobjects",):
            raise unusable("a batch cannot hold a batch or a composite request")
        return run(state, part)
    except RefusedError as refused:
        return refused.answer()
