"""A small community, and the ways in which its three files are edited while things are under way."""

#: People's numbers; chen and mei share a telephone.
PHONES = {
    "li": "+8613800000001",
    "zhang": "+8613800000002",
    "chen": "+8613800000003",
    "desk": "+8613800000009",
    "son": "+8613900000002",
    "stranger": "+8613900000077",
}

#: Device id, kind, source, name there, home, further fields.
_DEVICES = (
    ("a-gas", "gas", "xinsheng", "a-gas", "a", "heartbeat: 2h"),
    ("a-smoke", "smoke", "xinsheng", "a-smoke", "a", "heartbeat: 24h"),
    ("a-door", "contact", "xinsheng", "a-door", "a", "heartbeat: 25h"),
    ("a-sos", "sos", "own", "a/sos", "a", ""),
    ("b-gas", "gas", "own", "b/gas", "b", "heartbeat: 1h"),
    ("b-door", "contact", "own", "b/door", "b", ""),
    ("c-gas", "gas", "xinsheng", "c-gas", "c", ""),
    ("c-meter", "gas", "own", "c/meter", "c", ""),
    ("d-gas", "gas", "own", "d/gas", "d", ""),
)

DEVICES = {device[0]: device for device in _DEVICES}


def devices(edition: str) -> str:
    """Write devices.yaml: `base`, `without b`, `with d`, `a moved`, `a away`, `a-gas gone`, `slower`, `broken`."""
    homes = ["a", "c"] if edition == "without b" else ["a", "b", "c"]
    homes += ["d"] if edition == "with d" else []
    lines = [
        "version: 1",
        "sources:",
        "  - {id: xinsheng, dialect: zigbee2mqtt, base: zigbee2mqtt}",
        "  - {id: own, dialect: shouwang, base: shouwang/v1}",
        "homes:",
    ]
    for home in homes:
        grid = "w08" if home == "c" or (home == "a" and edition == "a moved") else "w07"
        lines += [f"  - id: {home}", f"    grid: {grid}", f"    address: 玉林北街{home}号"]
        if home == "a":
            lines += [
                "    residents: [{name: 王秀英, born: 1941, living_alone: true}]",
                f'    contacts: [{{name: 王强, relation: 儿子, phone: "{PHONES["son"]}", notify: true}}]',
                "    hazards: {gas_valve: 厨房}",
            ]
            lines += ["    away: true"] if edition == "a away" else []
        lines.append("    devices:")
        for device_id, kind, source, name, where, more in _DEVICES:
            if where != home or (device_id == "a-gas" and edition == "a-gas gone"):
                continue
            further = "heartbeat: 6h" if more and edition == "slower" else more
            extra = f", {further}" if further else ""
            lines.append(f"      - {{id: {device_id}, kind: {kind}, source: {source}, name: {name}{extra}}}")
    if edition == "broken":
        lines.append("  - {id: a, grid: nowhere}")
    return "\n".join(lines) + "\n"


def grids(edition: str) -> str:
    """Write grids.yaml: `base`, `li gone`, `li renumbered`, `nobody stands in`, `always on duty`."""
    number = "+8613800000011" if edition == "li renumbered" else PHONES["li"]
    shifts = "" if edition == "always on duty" else ', shifts: ["mon-sun 07:00-22:00"]'
    backup = "" if edition in {"nobody stands in", "li gone"} else ", backup_for: [li]"
    li = (
        ""
        if edition == "li gone"
        else (
            "  - {id: li, name: 李明, role: micro, grids: [w07],"
            f' contact: [{{sms: "{number}"}}, {{voice: "{number}"}}]'
            f"{shifts}}}\n"
        )
    )
    return f"""version: 1
grids:
  - {{id: jd, level: street, name: 肖家河街道}}
  - {{id: sq, level: community, name: 新盛社区, parent: jd}}
  - {{id: g1, level: general, name: 第一网格, parent: sq}}
  - {{id: w07, level: micro, name: 玉林北街, parent: g1}}
  - {{id: w08, level: micro, name: 玉林南街, parent: g1}}
workers:
{li}  - {{id: zhang, name: 张敏, role: micro, grids: [w08], contact: [{{apprise: "json://zhang.example.org/"}},
     {{sms: "{PHONES["zhang"]}"}}, {{voice: "{PHONES["zhang"]}"}}]{backup}}}
  - {{id: chen, name: 陈刚, role: general, grids: [g1], contact: [{{sms: "{PHONES["chen"]}"}},
     {{voice: "{PHONES["chen"]}"}}]}}
  - {{id: mei, name: 梅芳, role: general, grids: [g1], contact: [{{sms: "{PHONES["chen"]}"}}]}}
  - {{id: duty-room, name: 社区值班室, role: desk, grids: [sq], contact: [{{sms: "{PHONES["desk"]}"}},
     {{voice: "{PHONES["desk"]}"}}, {{webhook: "${{DESK_HOOK}}"}}]}}
"""


def rules(edition: str) -> str:
    """Write rules.yaml: `base`, `no gas`, `gas is high`, `gas is held`, `quicker`, `broken`."""
    gas = "{kind: gas, state: alarm, for: 30s}" if edition == "gas is held" else "{kind: gas, state: alarm}"
    how = ("high", "welfare") if edition == "gas is high" else ("critical", "life-safety")
    leak = (
        ""
        if edition == "no gas"
        else (f"  - {{id: leak, title: 燃气泄漏, when: {gas}, severity: {how[0]}, plan: gas, policy: {how[1]}}}\n")
    )
    first = "5s" if edition == "quicker" else "60s"
    plan = "nothing" if edition == "broken" else "check"
    return f"""version: 1
rules:
{leak}  - {{id: smoke, title: 烟雾报警, when: {{kind: smoke, state: alarm}}, severity: critical,
     plan: gas, policy: life-safety}}
  - {{id: help, title: 呼救, when: {{kind: sos, state: pressed}}, severity: critical, plan: check, policy: life-safety}}
  - {{id: traces, title: 燃气偏高, when: {{kind: gas_concentration, above: 10}}, clear: {{below: 5}}, severity: warning,
     plan: check, policy: routine, group: life-safety}}
  - {{id: night, title: 夜间门未关, when: {{kind: contact, state: open, for: 15m, between: "22:00-06:00"}},
     severity: warning, plan: check, policy: routine}}
  - {{id: quiet, title: 24小时未出门, when: {{absent: contact, for: 24h}}, unless: [away], severity: high, plan: {plan},
     policy: welfare}}
  - {{id: silent, title: 设备离线, when: {{offline: device}}, severity: notice, plan: check, policy: maintenance}}
  - {{id: gone, title: 网关离线, when: {{offline: gateway, for: 10m}}, severity: notice, plan: check,
     policy: maintenance, group: gateway}}
  - {{id: unwatched, title: 看护中断, when: {{unwatched: home, for: 2h}}, severity: notice, plan: check,
     policy: routine, group: watch}}
  - {{id: low, title: 电量低, when: {{kind: battery, below: 15}}, clear: {{above: 20}}, severity: notice, plan: check,
     policy: maintenance}}
plans:
  gas: {{first: 开窗关阀勿开灯, steps: [电话告知老人, "关总阀: {{hazards.gas_valve}}"]}}
  check: {{first: 电话确认老人平安, steps: [打电话, 上门]}}
policies:
  life-safety:
    answer_within: 60s
    arrive_within: 5m
    steps:
      - {{after: 0s, to: assigned, by: [sms]}}
      - {{after: {first}, to: assigned, by: [voice]}}
      - {{after: 120s, to: [backup, general], by: [sms, voice, apprise]}}
      - {{after: 180s, to: [desk, contacts], by: [sms, voice, webhook]}}
    repeat: {{every: 5m, until: answered}}
  welfare:
    answer_within: 10m
    arrive_within: 45m
    steps:
      - {{after: 0s, to: assigned, by: [sms]}}
      - {{after: 10m, to: [backup, desk], by: [apprise, sms]}}
    repeat: {{every: 30m, until: answered}}
  routine:
    steps:
      - {{after: 0s, to: assigned, by: [sms]}}
    repeat: {{every: 1h, until: answered}}
  maintenance:
    steps:
      - {{after: 0s, to: desk, by: [webhook]}}
    repeat: {{every: 24h, until: answered}}
"""


#: Every edition of each file.
EDITIONS = {
    "devices": (devices, ("base", "without b", "with d", "a moved", "a away", "a-gas gone", "slower", "broken")),
    "grids": (grids, ("base", "li gone", "li renumbered", "nobody stands in", "always on duty")),
    "rules": (rules, ("base", "no gas", "gas is high", "gas is held", "quicker", "broken")),
}
