"""A day in the field against a Salesforce org: what `make run-salesforce` shows.

The org is the stand-in that comes with the library, in a process of its own, on a real socket.
A parent and its children are made offline, the org refuses one of them, which is amended, and
what the org has at the end is compared with the local state, with the times of the client. The
exit code is 0 only if every draft was acknowledged, both sides are equal and the log is verified.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from typing import Any, Final

from day import HERE, STILL_PENDING, Day, main, say

OBJECTS: Final = {"Account": "Account", "Contact": "Contact", "Visit": "Visit__c", "Task": "Task"}
CLIENT: Final = {"client_id": "stand-in-client", "client_secret": "stand-in-secret"}
LATEST: Final = "Journal_Made_At__c"


class SalesforceDay(Day):
    """One journal, one org, and what happens between them."""

    changes = HERE / "salesforce-day.jsonl"
    settings = HERE / "salesforce-org.toml"
    placeholder = "http://127.0.0.1:8766"
    module = "journal.testing.salesforce"

    def online(self) -> None:
        """Send everything, now that the org is there; amend what it refuses."""
        say("The org is there. The drafts are sent in the order in which they were made:")
        self.run("push", "--remote", str(self.profile), expect=STILL_PENDING)
        say("It has refused one of them. What waits for what, and why?")
        self.run("drafts", "explain", "Contact:m-huber")
        self.run("drafts", "explain", "Visit:v-0902")
        say("The draft is amended, as the same draft, and all of it goes:")
        amended = ("drafts", "amend", "Contact:m-huber", "LastName=Huber")
        self.run("--actor", "tech-17", *amended, "--reason", "asked her")
        self.run("push", "--remote", str(self.profile))
        self.run("drafts")

    def compare(self) -> None:
        """Compare the records of the org with the local state, field by field."""
        theirs = {name: self.rows(sobject) for name, sobject in OBJECTS.items()}
        ids = {
            f"{name}:{key}": row["Id"] for name, rows in theirs.items() for key, row in rows.items()
        }
        ours = {name: self.own(name, ids) for name in OBJECTS}
        for name, records in ours.items():
            if records.keys() != theirs[name].keys():
                sys.exit(f"{name}: {sorted(records)} here, and {sorted(theirs[name])} there")
            for key, fields in records.items():
                shown = {field: theirs[name][key].get(field) for field in fields}
                if shown != fields:
                    sys.exit(f"{name}:{key} differs:\n{fields}\n{shown}")
        count = sum(map(len, ours.values()))
        say(f"The org has the same {count} records as the journal, field by field.")
        visit = theirs["Visit"]["v-0901"]
        made = datetime.strptime(visit[LATEST], "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)
        said = self.last_change("Visit:v-0901")
        if abs((made - said).total_seconds()) >= 1 or visit["Journal_Actor__c"] != "tech-17":
            sys.exit(f"the visit was changed at {said}, and the org says {visit}")
        print(f"The visit was done at {made:%H:%M:%S}, by {visit['Journal_Actor__c']}, ", end="")
        print(f"{visit['Journal_Reason__c']!r}, says the org; its own LastModifiedDate is ", end="")
        print(f"{visit['LastModifiedDate'][11:19]}, when it heard of it.")

    def own(self, record_type: str, ids: dict[str, str]) -> dict[str, Any]:
        """Return the local records of a type, with references as the ids that the org has."""
        output = self.output("--json", "list", record_type)
        records = map(json.loads, output.splitlines())
        return {
            record["id"]: {
                **record["fields"],
                **{name: ids[target] for name, target in record.get("references", {}).items()},
            }
            for record in records
        }

    def last_change(self, ref: str) -> datetime:
        """Return when a record was changed here last."""
        entries = map(json.loads, self.output("--json", "log").splitlines())
        kinds = {"RecordCreated", "RecordUpdated"}
        times = [e["at"] for e in entries if e["ref"] == ref and e["event"] in kinds]
        return datetime.fromisoformat(times[-1])

    def rows(self, sobject: str) -> dict[str, Any]:
        """Return the records of an object, by our key."""
        token = self.asked("/services/oauth2/token", {"grant_type": "client_credentials", **CLIENT})
        words = f"SELECT FIELDS(ALL) FROM {sobject} LIMIT 200"  # noqa: S608  one of OBJECTS
        query = urllib.parse.urlencode({"q": words})
        path = f"/services/data/v67.0/query?{query}"
        found = self.asked(path, token=token["access_token"])
        return {row["Journal_Key__c"]: row for row in found["records"]}

    def asked(self, path: str, form: dict[str, str] | None = None, token: str = "") -> Any:  # noqa: ANN401  JSON
        """Return what the org answers."""
        data = None if form is None else urllib.parse.urlencode(form).encode()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(f"{self.url}{path}", data, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.load(answer)


if __name__ == "__main__":
    os.environ["SF_CLIENT_SECRET"] = CLIENT["client_secret"]
    sys.exit(main(SalesforceDay))
