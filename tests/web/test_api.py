"""The API for the desk and for programs."""

from typing import Any, get_args

import pytest

from rules.incident import OutcomeKind, Verb
from web.api import GivenOutcome


async def test_open_incidents_are_listed_by_default(site: Any) -> None:
    answer = await site.request("GET", "/api/v1/incidents")

    assert answer.status_code == 200
    assert answer.json()["incidents"][0]["title"] == "燃气泄漏"
    assert site.desk.asked == [(True, 100)]


async def test_all_incidents_are_listed_on_request(site: Any) -> None:
    await site.request("GET", "/api/v1/incidents?state=all&limit=7")

    assert site.desk.asked == [(False, 7)]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "state=closed"])
async def test_a_query_that_is_not_understood_is_refused_in_words(site: Any, query: str) -> None:
    answer = await site.request("GET", f"/api/v1/incidents?{query}")

    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid_request"
    assert answer.json()["error"]["message"].startswith(f"{query.partition('=')[0]}: Input should be")


async def test_one_incident_is_shown_with_its_history(site: Any) -> None:
    answer = await site.request("GET", "/api/v1/incidents/K7")

    assert answer.json()["journal"] == []


@pytest.mark.parametrize(("method", "path"), [("GET", "XX"), ("POST", "XX/acknowledge")])
async def test_an_unknown_reference_is_not_found(site: Any, method: str, path: str) -> None:
    answer = await site.request(method, f"/api/v1/incidents/{path}")

    assert answer.status_code == 404
    assert answer.json() == {"error": {"code": "not_found", "message": "No incident goes by XX."}}


@pytest.mark.parametrize(
    ("path", "verb"),
    [("acknowledge", Verb.ACKNOWLEDGE), ("arrive", Verb.ARRIVE), ("cannot-go", Verb.CANNOT_GO)],
)
async def test_verbs_reach_the_desk(site: Any, path: str, verb: Verb) -> None:
    """Without a body it is the desk that acts; with one it is whom it names."""
    await site.request("POST", f"/api/v1/incidents/K7/{path}")
    answer = await site.request("POST", f"/api/v1/incidents/K7/{path}", json={"by": " w07-a ", "note": "在楼下"})

    assert answer.status_code == 200
    assert answer.json() == {"answer": "已记录", "incident": {"code": "K7"}}
    assert site.desk.acts == [
        {"verb": verb, "by": "desk", "via": "api", "outcome": None, "note": None},
        {"verb": verb, "by": "w07-a", "via": "api", "outcome": None, "note": "在楼下"},
    ]


@pytest.mark.parametrize("outcome", [kind for kind in OutcomeKind if kind is not OutcomeKind.CAUSE_GONE])
async def test_an_outcome_closes(site: Any, outcome: OutcomeKind) -> None:
    await site.request("POST", "/api/v1/incidents/K7/outcome", json={"by": "w07-a", "outcome": outcome})

    assert site.desk.acts[0]["outcome"] is outcome


def test_a_person_may_give_every_outcome_but_the_one_that_gives_itself() -> None:
    assert set(get_args(GivenOutcome)) == set(OutcomeKind) - {OutcomeKind.CAUSE_GONE}


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({}, "outcome: Field required."),
        ({"outcome": "cause_gone"}, "outcome: Input should be 'real', "),
        ({"outcome": "real", "by": "  "}, "by: String should have at least 1 character."),
        ({"outcome": "real", "note": "x" * 501}, "note: String should have at most 500 characters."),
        ({"outcome": "real", "colour": 1}, "colour: Extra inputs are not permitted."),
        ([], "body: Input should be"),
    ],
)
async def test_a_body_that_is_not_understood_is_refused_in_words(site: Any, body: Any, complaint: str) -> None:
    answer = await site.request("POST", "/api/v1/incidents/K7/outcome", json=body)

    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith(complaint)
    assert site.desk.acts == []


async def test_what_was_sent_is_not_repeated_in_a_refusal(site: Any) -> None:
    answer = await site.request("POST", "/api/v1/incidents/K7/outcome", json={"outcome": "+8613900000001"})

    assert "+8613900000001" not in answer.text


async def test_a_body_that_is_not_json_is_refused(site: Any) -> None:
    answer = await site.request(
        "POST", "/api/v1/incidents/K7/outcome", content=b"{", headers={"Content-Type": "application/json"}
    )

    assert answer.json() == {"error": {"code": "invalid_request", "message": "The body is not JSON."}}


async def test_a_form_of_another_site_moves_nothing(site: Any) -> None:
    """What a page can send without asking first is never read as JSON."""
    for headers in ({"Content-Type": "text/plain"}, {}):
        answer = await site.request(
            "POST", "/api/v1/incidents/K7/outcome", content=b'{"outcome": "real"}', headers=headers
        )
        assert answer.status_code == 422
    assert site.desk.acts == []


async def test_a_refused_verb_says_why(site: Any) -> None:
    site.desk.refusal = "K7 已经结束,不能再接单"
    answer = await site.request("POST", "/api/v1/incidents/K7/acknowledge")

    assert answer.status_code == 409
    assert answer.json() == {"error": {"code": "refused", "message": "K7 已经结束,不能再接单"}}


async def test_figures_of_deliveries_are_given_to_whom_the_api_is_open(site: Any, make_site: Any) -> None:
    answer = await site.request("GET", "/api/v1/deliveries/figures?days=2.5")

    assert answer.status_code == 200
    assert answer.json()["providers"][0]["provider"] == "twilio"
    assert site.desk.figures_asked == [2.5]
    assert (await site.request("GET", "/api/v1/deliveries/figures?days=0")).status_code == 422
    closed = make_site(api_token="a-made-up-api-token")
    assert (await closed.request("GET", "/api/v1/deliveries/figures")).status_code == 401


async def test_homes_are_given_to_whom_the_api_is_open(site: Any, make_site: Any) -> None:
    answer = await site.request("GET", "/api/v1/homes?state=unwatched&limit=7&after=h0")

    assert answer.json() == {"homes": [{"id": "h1", "watched": False}], "next": None, "deaf_since": None}
    await site.request("GET", "/api/v1/homes")
    assert site.desk.homes_asked == [(True, 7, "h0"), (False, 100, "")]
    assert (await site.request("GET", "/api/v1/homes?limit=0")).status_code == 422
    closed = make_site(api_token="made-up")
    assert (await closed.request("GET", "/api/v1/homes")).status_code == 401


async def test_the_description_covers_every_route_and_names_the_token(site: Any) -> None:
    description = (await site.request("GET", "/api/openapi.json")).json()

    assert set(description["paths"]) == {
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/v1/deliveries/figures",
        "/api/v1/homes",
        "/api/v1/incidents",
        "/api/v1/incidents/{reference}",
        "/api/v1/incidents/{reference}/acknowledge",
        "/api/v1/incidents/{reference}/arrive",
        "/api/v1/incidents/{reference}/cannot-go",
        "/api/v1/incidents/{reference}/outcome",
    }
    for path, methods in description["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            assert operation["description"], path
    assert description["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    assert "DeliveryFigures" in description["components"]["schemas"]
    assert "IncidentDetail" in description["components"]["schemas"]
