"""Several requests in one: `composite` and `composite/batch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.salesforce.hands import VERSION, code, created, forbidding, logged_in

if TYPE_CHECKING:
    import httpx

    from journal.testing.salesforce import Org

BASE = f"/services/data/{VERSION}"
HALTED = [
    {
        "errorCode": "PROCESSING_HALTED",
        "message": "The transaction was rolled back since another operation "
        "in the same transaction failed.",
    }
]


@pytest.fixture(autouse=True)
def no_zeros(org: Org) -> None:
    """A record whose name, or last name, is 0 is refused."""
    org.rules.validation += [forbidding("Account", "Name"), forbidding("Contact", "LastName")]


def part(name: str, path: str, method: str = "POST", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a part of a composite request."""
    return {"method": method, "url": f"{BASE}/{path}", "referenceId": name, **more}


def account(name: str, reference: str) -> dict[str, Any]:
    """Return a part that makes an account."""
    return part(reference, "sobjects/Account", body={"Name": name})


def contact(name: str, reference: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a part that makes a contact."""
    return part(reference, "sobjects/Contact", body={"LastName": name, **more})


def run(client: httpx.Client, *parts: dict[str, Any], **options: object) -> list[dict[str, Any]]:
    """Send a composite request, and return what came of its parts."""
    response = client.post("composite", json={**options, "compositeRequest": list(parts)})
    assert response.status_code == 200, response.text
    results: list[dict[str, Any]] = response.json()["compositeResponse"]
    assert [each["referenceId"] for each in results] == [each["referenceId"] for each in parts]
    return results


def statuses(results: list[dict[str, Any]]) -> list[int]:
    """Return the statuses of the parts."""
    return [each["httpStatusCode"] for each in results]


def names(org: Org) -> list[str]:
    """Return the names of what was made, in the order of the making."""
    return [effect.fields.get("Name") or effect.fields["LastName"] for effect in org.effects]


class TestComposite:
    """Parts that may name what others made."""

    def test_a_child_names_its_parent(self, client: httpx.Client, org: Org) -> None:
        """A part takes the id of what another made, in its body and in its path."""
        results = run(
            client,
            account("A", "r1"),
            contact("C", "r2", AccountId="@{r1.id}", Title="of @{r1.id}"),
            part("r3", "sobjects/Account/@{r1.id}?fields=Name", "GET"),
            contact("D", "r4", Title="@{r3.Name}"),
        )

        assert statuses(results) == [201, 201, 200, 201]
        [made], [first, second] = org.records("Account"), org.records("Contact")
        assert (first["AccountId"], first["Title"]) == (made["Id"], f"of {made['Id']}")
        assert second["Title"] == "A"
        assert results[0]["httpHeaders"]["Location"].endswith(made["Id"])

    @pytest.mark.parametrize(
        "reference", ["@{r1.Id}", "@{r9.id}", "@{r1.id.x}", "@{r1.errors[0].x}"]
    )
    def test_what_is_not_there_cannot_be_taken(self, client: httpx.Client, reference: str) -> None:
        """A name has its case: a create gives `id`, not `Id`."""
        results = run(client, account("A", "r1"), contact("C", "r2", Title=reference))

        assert statuses(results) == [201, 400]
        assert results[1]["body"][0]["errorCode"] == "PROCESSING_HALTED"

    def test_a_failure_stops_what_depends_on_it(self, client: httpx.Client, org: Org) -> None:
        """Unless all have to succeed, parts that need no failed one go on."""
        results = run(
            client, account("0", "r1"), contact("C", "r2", AccountId="@{r1.id}"), contact("D", "r3")
        )

        assert statuses(results) == [400, 400, 201]
        assert results[0]["body"][0]["errorCode"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
        assert names(org) == ["D"]

    @pytest.mark.parametrize("position", range(4))
    def test_all_or_none(self, client: httpx.Client, org: Org, position: int) -> None:
        """Where all have to succeed, one failure takes all back, at whatever position."""
        parts = [account("0" if n == position else str(n + 1), f"r{n}") for n in range(4)]

        results = run(client, *parts, allOrNone=True, collateSubrequests=False)

        assert statuses(results) == [400] * 4
        assert results[position]["body"][0]["errorCode"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
        assert all(each["body"] == HALTED for n, each in enumerate(results) if n != position)
        assert (org.effects, org.records("Account")) == ([], [])

    def test_an_update_is_taken_back(self, client: httpx.Client, org: Org) -> None:
        """What an update, an upsert and a delete did is taken back too, keys included."""
        record_id = created(client, "Account", Name="A", Journal_Key__c="k")
        before = org.get(record_id)
        path = f"sobjects/Account/{record_id}"

        run(
            client,
            part("r1", path, "PATCH", body={"Journal_Key__c": "l"}),
            part("r2", "sobjects/Account/Journal_Key__c/m", "PATCH", body={"Name": "M"}),
            part("r3", path, "DELETE"),
            account("0", "r4"),
            allOrNone=True,
        )

        assert org.get(record_id) == before
        assert client.get("sobjects/Account/Journal_Key__c/k").json()["Id"] == record_id
        assert client.get("sobjects/Account/Journal_Key__c/m").status_code == 404
        assert len(org.effects) == 1

    def test_an_update_gives_nothing(self, client: httpx.Client) -> None:
        """A part that updates has no body, so nothing can be taken from it."""
        path = f"sobjects/Account/{created(client, 'Account', Name='A')}"

        results = run(
            client,
            part("r1", path, "PATCH", body={"Phone": "1"}),
            contact("C", "r2", AccountId="@{r1.id}"),
        )
        assert [(each["httpStatusCode"], each["body"] is None) for each in results] == [
            (204, True),
            (400, False),
        ]

    def test_like_parts_are_run_together(self, client: httpx.Client, org: Org) -> None:
        """By default parts that are alike may be run before others that come first."""
        parts = [account("1", "r1"), contact("2", "r2"), account("3", "r3"), contact("4", "r4")]

        run(client, *parts)
        assert names(org) == ["1", "3", "2", "4"]

    def test_parts_keep_their_order_on_demand(
        self, client: httpx.Client, org: Org, url: str
    ) -> None:
        """With `collateSubrequests` false, and before version 49, order is kept."""
        parts = [account("1", "r1"), contact("2", "r2"), account("3", "r3")]
        run(client, *parts, collateSubrequests=False)
        with logged_in(url, org.access_token(), "v48.0") as older:
            run(older, *parts)
        org.settings.regroups = False
        run(client, *parts)

        assert names(org) == ["1", "2", "3"] * 3

    def test_parts_with_headers_are_never_regrouped(self, client: httpx.Client, org: Org) -> None:
        """A part that has headers is run where it stands."""
        parts = [
            account("1", "r1"),
            contact("2", "r2"),
            {**account("3", "r3"), "httpHeaders": {"X-A": "1"}},
        ]

        run(client, *parts)
        assert names(org) == ["1", "2", "3"]

    def test_parts_are_regrouped_after_what_they_need(self, client: httpx.Client, org: Org) -> None:
        """A part is not run before one that it takes something from."""
        parts = [
            contact("1", "r1"),
            account("2", "r2"),
            contact("3", "r3", AccountId="@{r2.id}"),
            contact("4", "r4"),
        ]

        results = run(client, *parts)
        assert statuses(results) == [201] * 4
        assert names(org) == ["1", "4", "2", "3"]

    def test_parts_are_conditional(self, client: httpx.Client, org: Org) -> None:
        """A part may have a condition of its own."""
        record_id = created(client, "Account", Name="A")
        headers = {"If-Unmodified-Since": "Wed, 01 Apr 2026 08:59:59 GMT"}

        [result] = run(
            client,
            part(
                "r1",
                f"sobjects/Account/{record_id}",
                "PATCH",
                body={"Phone": "1"},
                httpHeaders=headers,
            ),
        )
        assert result["httpStatusCode"] == 412
        assert len(org.effects) == 1

    def test_a_collection_claims_success_after_a_rollback(
        self, client: httpx.Client, org: Org
    ) -> None:
        """A trap: what a collection did is taken back, and its items go on saying success."""
        records = [{"attributes": {"type": "Account"}, "Name": "A"}]

        results = run(
            client,
            part("r1", "composite/sobjects", body={"records": records}),
            account("0", "r2"),
            allOrNone=True,
        )
        assert results[0]["body"][0]["success"] is True
        assert org.records("Account") == []

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"compositeRequest": []},
            {"compositeRequest": [account("A", f"r{n}") for n in range(26)]},
            {"compositeRequest": [account("A", "r1"), account("B", "r1")]},
            {"compositeRequest": [account("A", "r-1")]},
            {"compositeRequest": [account("A", "")]},
            {"compositeRequest": [{"method": "POST", "url": f"{BASE}/sobjects/Account"}]},
            {"compositeRequest": [{**account("A", "r1"), "httpHeaders": {"Accept": "*/*"}}]},
            {"compositeRequest": [{**account("A", "r1"), "httpHeaders": {"Authorization": "x"}}]},
            {
                "compositeRequest": [
                    part(f"q{n}", "query?q=SELECT+Id+FROM+Account", "GET") for n in range(6)
                ]
            },
        ],
    )
    def test_what_cannot_be_run(self, client: httpx.Client, org: Org, body: dict[str, Any]) -> None:
        """A request that is not as it should be is refused as a whole."""
        response = client.post("composite", json=body)

        assert response.status_code == 400
        code(response)
        assert org.effects == []

    def test_old_versions_take_any_name(self, org: Org, url: str) -> None:
        """Before version 52 a part may be called anything."""
        with logged_in(url, org.access_token(), "v51.0") as older:
            assert statuses(run(older, account("A", "r-1"))) == [201]

    def test_a_part_is_a_request_for_data(self, client: httpx.Client) -> None:
        """A part that is no such request, or holds others, is refused by itself."""
        results = run(
            client,
            {**account("A", "r1"), "url": "/elsewhere"},
            part("r2", "composite", body={"compositeRequest": []}),
            part("r3", "nothing", "GET"),
        )
        assert statuses(results) == [404, 400, 404]

    def test_it_is_one_call(self, client: httpx.Client) -> None:
        """However many parts it has, it counts once."""
        response = client.post(
            "composite", json={"compositeRequest": [account(str(n), f"r{n}") for n in range(1, 9)]}
        )

        assert response.headers["Sforce-Limit-Info"] == "api-usage=1/100000"


class TestBatch:
    """Parts one after another, each for itself."""

    @staticmethod
    def run(client: httpx.Client, *names: str, **options: object) -> dict[str, Any]:
        """Make accounts in a batch, and return the answer."""
        parts = [
            {"method": "POST", "url": f"{VERSION}/sobjects/Account", "richInput": {"Name": name}}
            for name in names
        ]
        response = client.post("composite/batch", json={"batchRequests": parts, **options})
        assert response.status_code == 200
        answer: dict[str, Any] = response.json()
        return answer

    def test_parts_run_in_order(self, client: httpx.Client, org: Org) -> None:
        """Each part is done in its turn, and stays done."""
        answer = self.run(client, "1", "2", "3")

        assert answer["hasErrors"] is False
        assert [each["statusCode"] for each in answer["results"]] == [201] * 3
        assert names(org) == ["1", "2", "3"]
        assert answer["results"][0]["result"]["id"] == org.effects[0].id

    def test_a_failure_alone_does_not_stop_it(self, client: httpx.Client, org: Org) -> None:
        """Without `haltOnError` the parts behind a failure are done."""
        answer = self.run(client, "1", "0", "3")

        assert answer["hasErrors"] is True
        assert [each["statusCode"] for each in answer["results"]] == [201, 400, 201]
        assert names(org) == ["1", "3"]

    @pytest.mark.parametrize("position", range(4))
    def test_it_halts_at_the_first_failure(
        self, client: httpx.Client, org: Org, position: int
    ) -> None:
        """With `haltOnError` what came before a failure stays, what comes behind is 412."""
        said = ["0" if n == position else str(n + 1) for n in range(4)]

        answer = self.run(client, *said, haltOnError=True)

        statuses = [each["statusCode"] for each in answer["results"]]
        assert statuses == [201] * position + [400] + [412] * (3 - position)
        assert names(org) == said[:position]
        for result in answer["results"][position + 1 :]:
            assert result["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"

    def test_each_part_counts(self, client: httpx.Client) -> None:
        """Each part of a batch counts as a call."""
        self.run(client, "1", "2", "3")

        assert client.get("limits").headers["Sforce-Limit-Info"] == "api-usage=4/100000"

    def test_other_requests(self, client: httpx.Client, org: Org) -> None:
        """A batch reads, upserts, changes and deletes; nothing in it holds others."""
        record_id = created(client, "Account", Name="A")
        parts = [
            {"method": "GET", "url": f"{VERSION}/sobjects/Account/{record_id}?fields=Name"},
            {
                "method": "PATCH",
                "url": f"{VERSION}/sobjects/Account/{record_id}",
                "richInput": {"Phone": "1"},
            },
            {
                "method": "PATCH",
                "url": f"{VERSION}/sobjects/Account/Journal_Key__c/k",
                "richInput": {"Name": "B"},
            },
            {"method": "DELETE", "url": f"/services/data/{VERSION}/sobjects/Account/{record_id}"},
            {"method": "POST", "url": f"{VERSION}/composite/batch", "richInput": {}},
            {"method": "GET", "url": "nowhere"},
        ]

        answer = client.post("composite/batch", json={"batchRequests": parts}).json()
        statuses = [each["statusCode"] for each in answer["results"]]
        assert statuses == [200, 204, 201, 204, 400, 404]
        assert answer["results"][1]["result"] is None
        assert [each["Name"] for each in org.records("Account")] == ["B"]

    @pytest.mark.parametrize("parts", [None, [], [{}] * 26, [1]])
    def test_what_cannot_be_run(self, client: httpx.Client, parts: object) -> None:
        """A batch has from one to 25 parts."""
        response = client.post("composite/batch", json={"batchRequests": parts})

        assert response.status_code == 400
        code(response)


class TestGraphs:
    """Parts in graphs, each whole or not at all."""

    @staticmethod
    def run(client: httpx.Client, *graphs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Send graphs, and return what came of them."""
        body = {
            "graphs": [{"graphId": str(n), "compositeRequest": g} for n, g in enumerate(graphs)]
        }
        response = client.post("composite/graph", json=body)
        assert response.status_code == 200, response.text
        answers: list[dict[str, Any]] = response.json()["graphs"]
        assert [each["graphId"] for each in answers] == [str(n) for n in range(len(graphs))]
        return answers

    def test_what_is_needed_comes_first(self, client: httpx.Client, org: Org) -> None:
        """A part is run after those that it needs, wherever it stands."""
        [answer] = self.run(client, [contact("C", "r1", AccountId="@{r2.id}"), account("A", "r2")])

        assert answer["isSuccessful"] is True
        assert statuses(answer["graphResponse"]["compositeResponse"]) == [201, 201]
        assert names(org) == ["A", "C"]

    def test_each_is_whole_or_not_at_all(self, client: httpx.Client, org: Org) -> None:
        """What fails takes its graph back, and no other."""
        broken = [account("1", "r1"), account("0", "r2"), account("2", "r3")]

        first, second = self.run(client, broken, [account("3", "r1")])

        assert (first["isSuccessful"], second["isSuccessful"]) == (False, True)
        results = first["graphResponse"]["compositeResponse"]
        assert [each["body"] == HALTED for each in results] == [True, False, True]
        assert names(org) == ["3"]

    def test_after_many_failures_nothing_is_run(self, client: httpx.Client, org: Org) -> None:
        """After 14 graphs that failed the rest are not run."""
        answers = self.run(client, *[[account("0", "r")]] * 14, [account("1", "r")])

        assert [each["isSuccessful"] for each in answers] == [False] * 15
        assert answers[14]["graphResponse"]["compositeResponse"][0]["body"] == HALTED
        assert org.effects == []

    @pytest.mark.parametrize(
        "graphs",
        [
            None,
            [],
            [{"graphId": "1", "compositeRequest": []}],
            [
                {
                    "graphId": "1",
                    "compositeRequest": [account("@{b.id}", "a"), account("@{a.id}", "b")],
                }
            ],
            [
                {
                    "graphId": "1",
                    "compositeRequest": [account(f"@{{r{n + 1}.id}}", f"r{n}") for n in range(16)],
                }
            ],
            [
                {
                    "graphId": "1",
                    "compositeRequest": [part(f"r{n}", f"sobjects/X{n}") for n in range(16)],
                }
            ],
            [{"graphId": str(g), "compositeRequest": [account("A", "r")]} for g in range(76)],
            [
                {"graphId": str(g), "compositeRequest": [account("A", f"r{n}") for n in range(251)]}
                for g in "ab"
            ],
        ],
        ids=[
            "none",
            "empty",
            "no parts",
            "a circle",
            "too deep",
            "too many kinds",
            "too many",
            "too large",
        ],
    )
    def test_what_cannot_be_run(self, client: httpx.Client, org: Org, graphs: object) -> None:
        """Graphs have limits, and do not go round."""
        response = client.post("composite/graph", json={"graphs": graphs})

        assert response.status_code == 400
        code(response)
        assert org.effects == []
