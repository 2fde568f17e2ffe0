"""The desk's views and verbs."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ingest.message import Message
from rules.incident import OutcomeKind, Verb
from web.views import IncidentDetail, IncidentView

Start = Callable[[], Awaitable[Any]]


@pytest.fixture
async def service(start: Start) -> Any:
    service, _ = await start()
    now = service.core.now()
    for topic, payload in (
        ("zigbee2mqtt/yl-1-2-301-gas", b'{"gas":true}'),
        ("shouwang/v1/yl-1-2-302/gas/event", b'{"kind":"gas","state":"alarm"}'),
    ):
        await service.intake.take_in([Message(topic=topic, payload=payload, retain=False, received_at=now)])
    return service


async def code_of(service: Any, home: str) -> str:
    rows = await service.desk.incidents(open_only=False, limit=10)
    return str(next(row["code"] for row in rows if row["home"] == home))


async def test_views_are_what_the_api_promises(service: Any) -> None:
    """Every documented key is there with its type, and nothing that JSON cannot hold."""
    for row in await service.desk.incidents(open_only=True, limit=10):
        IncidentView.model_validate(row, strict=False)
        json.dumps(row)
    whole = await service.desk.incident(await code_of(service, "yl-1-2-301"))
    IncidentDetail.model_validate(whole)
    json.dumps(whole)
    assert [entry["event"] for entry in whole["journal"]] == ["opened", "paged"]
    assert whole["journal"][1]["words"] == "第1轮第1步：短信通知李明"


async def test_nobody_s_number_is_in_a_view(service: Any) -> None:
    shown = json.dumps(
        [
            await service.desk.incidents(open_only=False, limit=10),
            await service.desk.incident(await code_of(service, "yl-1-2-301")),
        ]
    )
    assert "138****0001" in shown
    assert "13800000001" not in shown


async def test_the_list_is_cut_and_may_have_the_closed_ones(service: Any) -> None:
    code = await code_of(service, "yl-1-2-302")
    await service.desk.act(code, Verb.OUTCOME, by="li", via="api", outcome=OutcomeKind.TEST)

    assert [row["home"] for row in await service.desk.incidents(open_only=True, limit=10)] == ["yl-1-2-301"]
    assert len(await service.desk.incidents(open_only=False, limit=10)) == 2
    assert len(await service.desk.incidents(open_only=False, limit=1)) == 1


async def test_what_is_not_there_is_not_found(service: Any) -> None:
    assert await service.desk.incident("Z999") is None
    assert not (await service.desk.act("Z999", Verb.ACKNOWLEDGE, by="li", via="api")).found


async def test_who_acts_is_a_worker_or_a_name(service: Any) -> None:
    first = await service.desk.act(await code_of(service, "yl-1-2-301"), Verb.ACKNOWLEDGE, by="zhang", via="api")
    second = await service.desk.act(await code_of(service, "yl-1-2-302"), Verb.ACKNOWLEDGE, by="老赵", via="api")

    assert (first.incident["answered_by"], first.incident["answered_by_name"]) == ("zhang", "张敏")
    assert (second.incident["answered_by"], second.incident["answered_by_name"]) == ("老赵", "老赵")


async def test_family_cannot_answer_by_the_desk_either(service: Any) -> None:
    code = await code_of(service, "yl-1-2-301")
    result = await service.desk.act(code, Verb.ACKNOWLEDGE, by="family:yl-1-2-301/0", via="api")

    assert result.refused
    assert result.incident["state"] == "open"


async def test_an_outcome_is_asked_for(service: Any) -> None:
    result = await service.desk.act(await code_of(service, "yl-1-2-301"), Verb.OUTCOME, by="li", via="api")

    assert "要有结果" in result.refused
