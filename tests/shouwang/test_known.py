from rules.community import Device
from shouwang.known import Known


def device(name: str, source: str = "own") -> Device:
    return Device(id=f"{source} {name}", home_id="home", kind="gas", source=source, name=name)


def test_what_is_remembered_is_found_also_that_there_is_nothing() -> None:
    known = Known(10)
    gas = device("gas")
    known.remember([("own", "gas"), ("own", "nobody")], {("own", "gas"): gas}, {("own", "gas"): {"model": "M"}})

    found = known.find([("own", "gas"), ("own", "nobody"), ("own", "new")])

    assert found.devices == {("own", "gas"): gas}
    assert found.definitions == {("own", "gas"): {"model": "M"}}
    assert found.missing == {("own", "new")}


def test_what_is_not_in_use_is_let_go_and_what_is_in_use_stays() -> None:
    """However many names there are, no more than the limit are kept."""
    known = Known(10)
    known.remember([("own", "in use")], {("own", "in use"): device("in use")}, {})
    for number in range(100):
        known.remember([("own", str(number))], {("own", str(number)): device(str(number))}, {})
        assert known.find([("own", "in use")]).devices

    kept = known.find([("own", str(number)) for number in range(100)]).devices
    assert ("own", "99") in kept
    assert len(kept) <= 10


def test_forgetting_is_counted() -> None:
    """Whoever has read the registry before must not let it be remembered afterwards."""
    known = Known(10)
    known.remember([("own", "gas")], {("own", "gas"): device("gas")}, {})
    before = known.epoch

    known.forget()

    assert known.epoch != before
    assert known.find([("own", "gas")]).missing


def test_a_source_whose_gateway_has_spoken_is_read_anew_and_no_other() -> None:
    known = Known(10)
    names = [("own", "gas"), ("own", "gone"), ("other", "gas")]
    devices = {name: device(name[1], name[0]) for name in names}
    known.remember(names, devices, {name: {"model": "old"} for name in names})

    known.forget_source("own")

    found = known.find(names)
    assert found.missing == {("own", "gas"), ("own", "gone")}
    assert found.definitions == {("other", "gas"): {"model": "old"}}


def test_devices_of_one_model_share_its_definition() -> None:
    known = Known(10)
    names = [("own", "one"), ("own", "two")]
    known.remember(names, {}, {name: {"digest": "m", "exposes": []} for name in names})

    one, two = known.find(names).definitions.values()
    assert one is two


def test_single_names_are_read_anew_and_the_others_stay() -> None:
    known = Known(limit=10)
    names = {("own", "a"), ("own", "b"), ("other", "a")}
    known.remember(names, {}, {name: {"model": "old"} for name in names})

    known.forget_names("own", ["a", "never heard of"])

    assert known.find(names).missing == {("own", "a")}
