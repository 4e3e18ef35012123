"""Kinto: our key in the URL, an envelope, versions in a header, whole-number ETags, tombstones."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import httpx

from tests.integration.services.process import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER: Final = "field"
PASSWORD: Final = "s3cret"  # noqa: S105  of a service on loopback that ends with the test
BUCKET: Final = "field"
COLLECTION: Final = "notes"

# `python -m kinto` does nothing, and says nothing.
_MAIN: Final = "import sys; from kinto.__main__ import main; sys.exit(main())"
_SETTINGS: Final = """\
[server:main]
use = egg:waitress#main
host = 127.0.0.1
port = %(http_port)s
threads = 4

[app:main]
use = egg:kinto
kinto.includes = kinto.plugins.history
kinto.storage_backend = kinto.core.storage.memory
kinto.cache_backend = kinto.core.cache.memory
kinto.permission_backend = kinto.core.permission.memory
kinto.userid_hmac_secret = only-for-tests
multiauth.policies = basicauth
kinto.bucket_create_principals = system.Authenticated
kinto.paginate_by = 100
kinto.experimental_collection_schema_validation = true

[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
level = NOTSET
formatter = plain
[formatter_plain]
format = %(levelname)s %(name)s %(message)s
"""


class Kinto:
    """A Kinto that runs, with one bucket and one collection in it."""

    environ: Final = {"KINTO_USER": USER, "KINTO_PASSWORD": PASSWORD}

    def __init__(self, root: str) -> None:
        """Speak to the Kinto there."""
        self.root = root
        self.url = f"{root}/v1/buckets/{BUCKET}"
        self.records = f"{self.url}/collections/{COLLECTION}/records"

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:  # noqa: ANN401  httpx's
        """Do what another client would."""
        with httpx.Client(trust_env=False, auth=(USER, PASSWORD)) as client:
            return client.request(method, url, **options)

    def edit(self, key: str, fields: dict[str, Any]) -> None:
        """Edit a record behind the journal's back."""
        path = f"{self.records}/{key}"
        self.request("PATCH", path, json={"data": fields}).raise_for_status()

    def create(self, key: str, fields: dict[str, Any]) -> None:
        """Create a record behind the journal's back."""
        self.request("PUT", f"{self.records}/{key}", json={"data": fields}).raise_for_status()

    def delete(self, key: str) -> None:
        """Delete a record behind the journal's back."""
        self.request("DELETE", f"{self.records}/{key}").raise_for_status()

    def fields(self, key: str) -> dict[str, Any] | None:
        """Return what the service has, without its own members; None where it has nothing."""
        answer = self.request("GET", f"{self.records}/{key}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        record = answer.raise_for_status().json()["data"]
        own = {"id", "last_modified", "schema"}
        return {name: value for name, value in record.items() if name not in own}

    def history(self, key: str) -> list[str]:
        """Return each change that was applied to a record, oldest first: Kinto's own word."""
        url: str | None = (
            f"{self.url}/history?resource_name=record&collection_id={COLLECTION}"
            f"&record_id={key}&_sort=last_modified&_limit=100"
        )
        actions: list[str] = []
        while url:
            answer = self.request("GET", url).raise_for_status()
            actions += [entry["action"] for entry in answer.json()["data"]]
            url = answer.headers.get("Next-Page")
        return actions


@contextmanager
def kinto(folder: Path) -> Iterator[Kinto]:
    """Run a Kinto that keeps everything in memory."""
    settings = folder / "kinto.ini"
    settings.write_text(_SETTINGS, encoding="utf-8")
    start = ["-c", _MAIN, "start", "--ini", str(settings), "--port"]
    with running(
        lambda port: [*start, str(port)], "/v1/__heartbeat__", folder / "kinto.log"
    ) as url:
        service = Kinto(url)
        service.request("PUT", service.url).raise_for_status()
        collection = f"{service.url}/collections/{COLLECTION}"
        service.request("PUT", collection).raise_for_status()
        yield service
