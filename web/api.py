"""`/api/v1`: incidents for programs and for the desk."""

from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from rules.incident import OutcomeKind, Verb
from web import gate
from web.options import WebOptions
from web.ports import Desk
from web.problems import Problem
from web.views import Acted, DeliveryFigures, ErrorAnswer, HomeList, IncidentDetail, IncidentList

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
_Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
_Reference = Annotated[
    str,
    Path(
        pattern="^[0-9A-Za-z-]{1,64}$",
        description="The incident's id, a unique beginning of it, or its code, e.g. `K7`",
    ),
]
#: What a person may give; `cause_gone` is for notices that close themselves.
GivenOutcome = Literal["real", "false_alarm", "test", "no_one_home", "nothing_found"]


class Which(StrEnum):
    """Which incidents to list."""

    OPEN = "open"
    ALL = "all"


class Act(BaseModel):
    """Who does it, and anything worth writing down."""

    model_config = ConfigDict(extra="forbid")

    by: _Text = Field(default="desk", description="A worker's id, or who at the desk does it for them")
    note: _Note | None = Field(default=None, description="Goes into the journal")


class GiveOutcome(Act):
    """How it ended."""

    outcome: GivenOutcome


_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": ErrorAnswer, "description": "The token is missing or wrong"},
    403: {"model": ErrorAnswer, "description": "There is no token, and the request did not come from this machine"},
    422: {"model": ErrorAnswer, "description": "The request is not what this address takes"},
}
_NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorAnswer, "description": "No incident goes by that reference"}
}
_REFUSED: dict[int | str, dict[str, Any]] = {
    409: {"model": ErrorAnswer, "description": "The incident's state does not allow it; the sentence says why"}
}


def router(desk: Desk, options: WebOptions) -> APIRouter:
    """Make the routes. Who may use them is decided before anything of the request is read."""
    routes = _gated_routes("/api/v1/incidents", "incidents", options)

    @routes.get("", summary="List incidents", responses={200: {"model": IncidentList}})
    async def listing(
        state: Annotated[Which, Query(description="Open incidents, or all of them")] = Which.OPEN,
        limit: Annotated[int, Query(ge=1, le=500, description="How many at the most")] = 100,
    ) -> JSONResponse:
        """Give incidents, newest first; without their journals."""
        views = await desk.incidents(open_only=state is Which.OPEN, limit=limit)
        return JSONResponse({"incidents": [dict(view) for view in views]})

    @routes.get("/{reference}", summary="Show an incident", responses={200: {"model": IncidentDetail}, **_NOT_FOUND})
    async def show(reference: _Reference) -> JSONResponse:
        """Give one incident with its plan, its journal and its deliveries."""
        view = await desk.incident(reference)
        if view is None:
            raise _not_found(reference)
        return JSONResponse(dict(view))

    acted: dict[int | str, dict[str, Any]] = {200: {"model": Acted}, **_NOT_FOUND, **_REFUSED}

    @routes.post("/{reference}/acknowledge", summary="Somebody is on the way", responses=acted)
    async def acknowledge(reference: _Reference, body: Act | None = None) -> JSONResponse:
        """Stop the escalation, tell the others who is on the way, and start the arrival clock."""
        return await act(reference, Verb.ACKNOWLEDGE, body or Act())

    @routes.post("/{reference}/arrive", summary="Somebody is there", responses=acted)
    async def arrive(reference: _Reference, body: Act | None = None) -> JSONResponse:
        """Stop the arrival clock, and start the one for the outcome."""
        return await act(reference, Verb.ARRIVE, body or Act())

    @routes.post("/{reference}/cannot-go", summary="Somebody cannot go", responses=acted)
    async def cannot_go(reference: _Reference, body: Act | None = None) -> JSONResponse:
        """Let the next step happen at once, and page this person no more for this incident."""
        return await act(reference, Verb.CANNOT_GO, body or Act())

    @routes.post("/{reference}/outcome", summary="It is over", responses=acted)
    async def outcome(reference: _Reference, body: GiveOutcome) -> JSONResponse:
        """Close the incident. It is closed only with an outcome."""
        return await act(reference, Verb.OUTCOME, body, OutcomeKind(body.outcome))

    async def act(reference: str, verb: Verb, body: Act, outcome: OutcomeKind | None = None) -> JSONResponse:
        result = await desk.act(reference, verb, by=body.by, via="api", outcome=outcome, note=body.note or None)
        if not result.found:
            raise _not_found(reference)
        if result.refused is not None:
            raise Problem(409, "refused", result.refused)
        incident = None if result.incident is None else dict(result.incident)
        return JSONResponse({"answer": result.answer, "incident": incident})

    return routes


def figures_router(desk: Desk, options: WebOptions) -> APIRouter:
    """Make the routes that tell how deliveries have gone; for the same people as the incidents."""
    routes = _gated_routes("/api/v1/deliveries", "deliveries", options)

    @routes.get("/figures", summary="What became of what was sent", responses={200: {"model": DeliveryFigures}})
    async def figures(
        days: Annotated[float, Query(gt=0, le=3660, description="How far back")] = 7,
    ) -> JSONResponse:
        """Give, by person, channel and provider, how many messages were taken, arrived, and how quickly."""
        return JSONResponse(dict(await desk.delivery_figures(days=days)))

    return routes


class Watched(StrEnum):
    """Which homes to list."""

    UNWATCHED = "unwatched"
    ALL = "all"


def homes_router(desk: Desk, options: WebOptions) -> APIRouter:
    """Make the routes that tell which homes are watched over; for the same people as the incidents."""
    routes = _gated_routes("/api/v1/homes", "homes", options)

    @routes.get("", summary="Which homes are watched over", responses={200: {"model": HomeList}})
    async def homes(
        state: Annotated[Watched, Query(description="All homes, or those that are not watched over")] = Watched.ALL,
        limit: Annotated[int, Query(ge=1, le=500, description="How many at the most")] = 100,
        after: Annotated[str, Query(max_length=100, description="The id behind which to begin")] = "",
    ) -> JSONResponse:
        """Give homes by id with the devices that give no sign of life; a sensor that is silent is never all quiet."""
        found = await desk.homes(unwatched_only=state is Watched.UNWATCHED, limit=limit, after=after)
        return JSONResponse(dict(found))

    return routes


def _gated_routes(prefix: str, tag: str, options: WebOptions) -> APIRouter:
    class GatedRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handle_admitted(request: Request) -> Response:
                gate.admit(request.headers, request.client.host if request.client else None, options)
                return await handle(request)

            return handle_admitted

    described = HTTPBearer(auto_error=False, description="SHOUWANG_HTTP__API_TOKEN; not needed on the same machine")
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        route_class=GatedRoute,
        dependencies=[Depends(described)],
        responses=_REFUSALS,
    )


def _not_found(reference: str) -> Problem:
    return Problem(404, "not_found", f"No incident goes by {reference}.")
