"""What the HTTP side answers when it cannot do what was asked: always JSON, always a sentence."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

logger = logging.getLogger(__name__)

_CODES = {
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take that method."),
    413: ("too_large", "The request is larger than this server reads."),
}


class Problem(HTTPException):
    """A refusal with a code for programs and a sentence for people."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, message, headers)
        self.code = code


class BodyTooLarge(Problem):
    """The body is over the limit; raised where it is read."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, "too_large", f"The request is larger than the {limit} bytes this server reads.")


def answer(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Put a problem into the one form in which all of them leave."""
    return JSONResponse({"error": {"code": code, "message": message}}, status, dict(headers or {}))


def install(app: FastAPI) -> None:
    """Let every refusal of an application, of the framework's too, leave in that form."""

    @app.exception_handler(HTTPException)
    async def _refused(_: Request, problem: HTTPException) -> JSONResponse:
        if isinstance(problem, Problem):
            return answer(problem.status_code, problem.code, problem.detail, problem.headers)
        status = HTTPStatus(problem.status_code)
        code, message = _CODES.get(status, (status.name.lower(), f"{status.phrase}."))
        return answer(status, code, message, problem.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, problem: RequestValidationError) -> JSONResponse:
        return answer(422, "invalid_request", sentence(problem.errors()))


def sentence(errors: Sequence[Mapping[str, Any]]) -> str:
    """Say all that is wrong with a request, without repeating what was sent: it may be personal."""
    parts = []
    for error in errors:
        if error["type"] == "json_invalid":
            return "The body is not JSON."
        where, *path = (str(part) for part in error["loc"])
        parts.append(f"{'.'.join(path) or where}: {error['msg']}")
    return "; ".join(parts) + "."
