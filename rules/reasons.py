"""Why a finding was raised or cleared, as a sentence in the community's language."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from rules.community import Device
from rules.readings import DeviceState
from rules.rulebook import StateIs, Threshold
from rules.texts import duration

#: One table for all languages; the same keys in each.
REASONS: dict[str, dict[str, str]] = {
    "zh": {
        "fact": "{place}{kind}：{state}",
        "below": "{place}{kind}{value}，低于{bound}",
        "above": "{place}{kind}{value}，高于{bound}",
        "held": "{fact}，已持续{duration}",
        "stale": "{fact}（旧消息，未经核实）",
        "tested": "{fact}，标记为测试已{duration}，未经核实",
        "still": "{fact}，结束后仍未恢复，未经核实",
        "repeated": "{fact}，再次报告",
        "cleared": "{fact}，已恢复",
        "offline": "{place}{kind}设备已{duration}没有消息",
        "offline_said": "{place}{kind}设备离线已{duration}",
        "never_heard": "从未收到{place}{kind}设备的消息",
        "back": "{place}{kind}设备恢复通信",
        "gateway": "网关{name}离线已{duration}，影响{homes}户{devices}个设备",
        "gateway_spare": "网关{name}离线已{duration}，其设备仍可由其他网关接收",
        "gateway_back": "网关{name}恢复通信",
        "untested": "该复测了：{devices}",
        "untested_device": "{place}{kind}（{duration}未通过测试）",
        "never_tested_device": "{place}{kind}（从未通过测试）",
        "tested_again": "设备已全部通过测试",
        "unwatched": "看护中断已{duration}：{devices}",
        "unwatched_ever": "看护尚未开始：{devices}",
        "unwatched_device": "{place}{kind}（{cause}）",
        "and_more": "等{count}个设备",
        "watched": "设备都有消息，看护恢复",
        "cause.silent": "没有消息",
        "cause.offline": "离线",
        "cause.gateway": "网关离线",
        "cause.service": "系统收不到消息",
        "cause.never_heard": "从未有消息",
        "comma": "、",
        "absent": "{duration}没有{kind}活动",
        "active": "又有{kind}活动",
    },
    "en": {
        "fact": "{place} {kind}: {state}",
        "below": "{place} {kind} {value}, below {bound}",
        "above": "{place} {kind} {value}, above {bound}",
        "held": "{fact}, for {duration}",
        "stale": "{fact} (an old message, not verified)",
        "tested": "{fact}, said to be a test for {duration}, not verified",
        "still": "{fact}, still so after it was closed, not verified",
        "repeated": "{fact}, said again",
        "cleared": "{fact}, over",
        "offline": "{place} {kind} device: no word for {duration}",
        "offline_said": "{place} {kind} device: offline for {duration}",
        "never_heard": "{place} {kind} device: never heard of",
        "back": "{place} {kind} device: heard again",
        "gateway": "gateway {name} offline for {duration}: {homes} homes, {devices} devices",
        "gateway_spare": "gateway {name} offline for {duration}; others still hear its devices",
        "gateway_back": "gateway {name}: heard again",
        "untested": "due for a test: {devices}",
        "untested_device": "{place} {kind} (not passed for {duration})",
        "never_tested_device": "{place} {kind} (never passed)",
        "tested_again": "all devices have passed their tests",
        "unwatched": "not watched over for {duration}: {devices}",
        "unwatched_ever": "never watched over yet: {devices}",
        "unwatched_device": "{place} {kind} ({cause})",
        "and_more": " and others, {count} in all",
        "watched": "all devices speak again",
        "cause.silent": "no word",
        "cause.offline": "offline",
        "cause.gateway": "gateway offline",
        "cause.service": "we hear nothing",
        "cause.never_heard": "never heard of",
        "comma": ", ",
        "absent": "no {kind} activity for {duration}",
        "active": "{kind} activity again",
    },
}

#: How kinds and states are called; those that are missing are said as they are.
_NAMES: dict[str, dict[str, str]] = {
    "zh": {
        "gas": "燃气",
        "smoke": "烟雾",
        "carbon_monoxide": "一氧化碳",
        "water_leak": "漏水",
        "contact": "门磁",
        "motion": "人体移动",
        "presence": "人体存在",
        "vibration": "震动",
        "sos": "求助按钮",
        "fall": "跌倒",
        "button": "按钮",
        "tamper": "防拆",
        "battery": "电量",
        "battery_voltage": "电池电压",
        "availability": "在线状态",
        "test": "测试",
        "fault": "故障",
        "mute": "静音",
        "warmup": "预热",
        "end_of_life": "到期",
        "alarm_panel": "报警主机",
        "heartbeat": "心跳",
        "gas_concentration": "燃气浓度",
        "smoke_concentration": "烟雾浓度",
        "carbon_monoxide_concentration": "一氧化碳浓度",
        "measurement": "测量值",
        "alarm": "报警",
        "warning": "预警",
        "clear": "正常",
        "open": "打开",
        "closed": "关闭",
        "detected": "有反应",
        "pressed": "按下",
        "cleared": "复位",
        "online": "在线",
        "offline": "离线",
        "sleeping": "休眠",
        "low": "低",
        "ok": "正常",
        "unknown": "未知",
    },
    "en": {
        "carbon_monoxide": "carbon monoxide",
        "water_leak": "water leak",
        "sos": "SOS",
        "battery_voltage": "battery voltage",
        "gas_concentration": "gas concentration",
        "smoke_concentration": "smoke concentration",
        "carbon_monoxide_concentration": "carbon monoxide concentration",
    },
}


#: So many devices are named in one sentence.
_NAMED = 3


class Reasons:
    """Makes the sentences in one language; for one we do not speak, in Chinese."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._words = REASONS.get(language, REASONS["zh"])
        self._names: Mapping[str, str] = _NAMES.get(language, _NAMES["zh"])

    def raised(
        self, device: Device, condition: StateIs | Threshold, row: DeviceState, *, held: bool, verified: bool
    ) -> str:
        """Say that a condition is true; `held`: that it has been for as long as the rule wants."""
        text = self._fact(device, condition, row)
        if held and condition.hold_s:
            text = self._say("held", fact=text, duration=duration(condition.hold_s, self._language))
        return text if verified else self._say("stale", fact=text)

    def tested(self, device: Device, condition: StateIs | Threshold, row: DeviceState, since: timedelta) -> str:
        """Say that an alarm has been a test for so long that it may be none."""
        length = duration(since.total_seconds(), self._language)
        return self._say("tested", fact=self._fact(device, condition, row), duration=length)

    def still(self, device: Device, condition: StateIs | Threshold, row: DeviceState) -> str:
        """Say that a condition is true although its incident was closed."""
        return self._say("still", fact=self._fact(device, condition, row))

    def repeated(self, device: Device, condition: StateIs | Threshold, row: DeviceState) -> str:
        """Say that a device has said it again."""
        return self._say("repeated", fact=self._fact(device, condition, row))

    def cleared(self, device: Device, row: DeviceState) -> str:
        """Say that it is over, as the device now says."""
        place = self._place(device)
        said = row.state if row.value is None or row.state is not None else self._number(row.value, row.unit)
        fact = self._say("fact", place=place, kind=self._name(row.kind), state=self._name(said or "unknown"))
        return self._say("cleared", fact=fact)

    def offline(self, device: Device, silent: timedelta | None, *, said: bool) -> str:
        """Say for how long a device has been silent, or (`said`) called offline; None: it has never been heard."""
        key = "never_heard" if silent is None else "offline_said" if said else "offline"
        length = "" if silent is None else duration(silent.total_seconds(), self._language)
        return self._say(key, place=self._place(device), kind=self._name(device.kind), duration=length)

    def back(self, device: Device) -> str:
        """Say that a silent device has been heard again."""
        return self._say("back", place=self._place(device), kind=self._name(device.kind))

    def absent(self, kind: str, quiet: timedelta) -> str:
        """Say for how long nobody has been active."""
        return self._say("absent", kind=self._name(kind), duration=duration(quiet.total_seconds(), self._language))

    def gateway(self, source: str, name: str, off: timedelta, *, homes: int, devices: int) -> str:
        """Say for how long a gateway has been off, and how many homes and devices are heard through nothing else."""
        length = duration(off.total_seconds(), self._language)
        key = "gateway" if devices else "gateway_spare"
        return self._say(key, name=name or source, duration=length, homes=str(homes), devices=str(devices))

    def gateway_back(self, source: str, name: str) -> str:
        """Say that a gateway is on again."""
        return self._say("gateway_back", name=name or source)

    def unwatched(self, silent: Sequence[tuple[Device, str]], since: timedelta | None) -> str:
        """Say which devices of a home give no sign of life, with the cause of each; `since`: for how long, if ever."""
        named = [
            self._say(
                "unwatched_device",
                place=self._place(device),
                kind=self._name(device.kind),
                cause=self._words[f"cause.{cause}"],
            )
            for device, cause in silent[:_NAMED]
        ]
        devices = self._words["comma"].join(named)
        if len(silent) > _NAMED:
            devices += self._say("and_more", count=str(len(silent)))
        if since is None:
            return self._say("unwatched_ever", devices=devices)
        return self._say("unwatched", devices=devices, duration=duration(since.total_seconds(), self._language))

    def watched_again(self) -> str:
        """Say that all devices of a home give signs of life."""
        return self._words["watched"]

    def untested(self, devices: Sequence[tuple[Device, timedelta | None]]) -> str:
        """Say which devices of a home have not passed a test for how long; None: never."""
        named = [
            self._say(
                "untested_device" if ago is not None else "never_tested_device",
                place=self._place(device),
                kind=self._name(device.kind),
                duration="" if ago is None else duration(ago.total_seconds(), self._language),
            )
            for device, ago in devices[:_NAMED]
        ]
        said = self._words["comma"].join(named)
        if len(devices) > _NAMED:
            said += self._say("and_more", count=str(len(devices)))
        return self._say("untested", devices=said)

    def tested_again(self) -> str:
        """Say that all devices of a home have passed their tests."""
        return self._words["tested_again"]

    def active(self, kind: str) -> str:
        """Say that somebody is active again."""
        return self._say("active", kind=self._name(kind))

    def _fact(self, device: Device, condition: StateIs | Threshold, row: DeviceState) -> str:
        place, kind = self._place(device), self._name(row.kind)
        if isinstance(condition, StateIs):
            # What the rule looks for, not what is known now: that may be `unknown` by the time a hold has been served.
            return self._say("fact", place=place, kind=kind, state=self._name(condition.state))
        below, bound = (True, condition.below) if condition.below is not None else (False, condition.above)
        if row.value is None or bound is None or row.state == "low":
            return self._say("fact", place=place, kind=kind, state=self._name(row.state or "unknown"))
        return self._say(
            "below" if below else "above",
            place=place,
            kind=kind,
            value=self._number(row.value, row.unit),
            bound=self._number(bound, row.unit),
        )

    def _place(self, device: Device) -> str:
        return device.room or device.id

    def _name(self, word: str) -> str:
        return self._names.get(word, word)

    @staticmethod
    def _number(value: float, unit: str | None) -> str:
        return f"{value:g}{unit or ''}"

    def _say(self, key: str, **values: str) -> str:
        return self._words[key].format(**values)
