"""An org as the tests of the sender have it: how it is spoken to, and a day of changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journal.remotes import Salesforce
from journal.sync.backoff import Backoff

if TYPE_CHECKING:
    from journal import Journal, Ref
    from journal.testing.salesforce import Org

KEY: Final = "Journal_Key__c"
SOON: Final = Backoff(0.001, 0.001, 0.001, 0.001)
ENVIRON: Final = {"SECRET": "stand-in-secret"}
CAPTURE: Final = {
    "occurred_at": "Journal_Made_At__c",
    "actor": "Journal_Actor__c",
    "device": "Journal_Device__c",
    "reason": "Journal_Reason__c",
}
TYPES: Final[dict[str, Any]] = {
    "Contact": {"parents": {"AccountId": f"Account.{KEY}"}},
    "Visit": {"object": "Visit__c", "parents": {"Account__c": f"Account__r.{KEY}"}},
}


def content(url: str, **settings: Any) -> dict[str, Any]:  # noqa: ANN401  any key
    """Return the settings of the stand-in org at a URL, with a key on every object."""
    oauth = {"client_id": "stand-in-client", "client_secret": "{env:SECRET}"}
    usual = {"url": url, "key": KEY, "capture": CAPTURE, "types": TYPES, "auth": {"oauth": oauth}}
    return {**usual, **settings}


def remote(url: str, **settings: Any) -> Salesforce:  # noqa: ANN401  any key
    """Return the stand-in org at a URL as a remote."""
    return Salesforce.of(content(url, **settings), environ=ENVIRON)


def day(journal: Journal, org: Org) -> None:
    """Make the changes of a day, of each kind, on records that are new and that are known."""
    known = [primed(journal, org, {"Name": f"Known {n}", "Phone": "1"}) for n in range(3)]
    journal.update(known[0], {"Phone": "2"}, reason="they moved")
    account = journal.create("Account", {"Name": "Acme", "Phone": "1"})
    contact = journal.create("Contact", {"LastName": "Li", "AccountId": account})
    visit = journal.create("Visit", {"Name": "v", "Account__c": account, "Status__c": "open"})
    journal.update(account, {"Phone": "2"})
    journal.delete(known[1])
    journal.update(visit, {"Status__c": "done", "Notes__c": "all is well"})
    journal.create("Contact", {"LastName": "Ko", "AccountId": known[2]})
    journal.update(contact, {"Phone": None, "Title": "Dr"})
    journal.update(account, {"Phone": "3"})
    short = journal.create("Account", {"Name": "Short-lived"})
    journal.delete(short)


def long_day(journal: Journal, drafts: int) -> None:
    """Make so many changes, of each kind, on records that are new."""
    while journal.log.head() < drafts:
        account = journal.create("Account", {"Name": "Acme", "Phone": "1"})
        contact = journal.create("Contact", {"LastName": "Li", "AccountId": account})
        journal.update(account, {"Phone": "2"})
        journal.update(contact, {"Title": "Dr"})
        journal.delete(contact)


def primed(journal: Journal, org: Org, fields: dict[str, Any]) -> Ref:
    """Make an account in the org, and note it here as a pull would."""
    found = org.get(org.create("Account", fields)) or {}
    return observed(journal, found, fields)


def observed(journal: Journal, found: dict[str, Any], fields: dict[str, Any]) -> Ref:
    """Note an account of the org here, with those of its fields."""
    from journal import Ref  # noqa: PLC0415

    ref = Ref(f"Account:{found['Id']}")
    seen = {name: found[name] for name in fields}
    version = found["LastModifiedDate"]
    journal.observe(ref, seen, remote_id=found["Id"], remote_version=version)
    return ref
