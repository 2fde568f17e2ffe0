"""What people read and hear: one table, Chinese and English.

Every key has both languages with the same places. Texts of an SMS are heads and tails that rules/sms.py puts together;
sentences of the journal are keyed `journal.<event>`, with places from the entry's detail.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from rules.decisions import JournalEntry


class Text(NamedTuple):
    """One thing to say, in each language."""

    zh: str
    en: str


LANGUAGES = ("zh", "en")

TEXTS: dict[str, Text] = {
    # --- marks before a title ------------------------------------------------------------------------------------
    "mark.drill": Text("[演练]", "[DRILL]"),
    "mark.unverified": Text("[待核实]", "[unverified]"),
    "mark.late": Text("[迟{delay}]", "[{delay} late]"),
    "mark.again": Text("[第{times}轮]", "[round {times}]"),
    "mark.realert": Text("再次报警:", "AGAIN: "),
    # --- commissioning: what the installer is told on the spot -----------------------------------------------------
    "commission.press": Text("按测试键", "press its test button"),
    "commission.open_and_close": Text("打开再关上", "open it, then close it"),
    "commission.open": Text("再打开一次", "now open it"),
    "commission.close": Text("请关上", "now close it"),
    "commission.move": Text("走动或晃动它", "move in front of it, or shake it"),
    "commission.speak": Text("让它上报一次", "let it send something"),
    "commission.passed": Text("通过", "passed"),
    "commission.failed": Text("未通过", "not passed"),
    "commission.nothing_heard": Text("什么也没收到", "nothing was heard of it"),
    "commission.heard": Text("收到: {said}", "heard: {said}"),
    "commission.never": Text("从未测试", "never tested"),
    "commission.window": Text(
        "{address}：测试到{until}，期间这户的报警不通知任何人；报警持续十分钟仍会报给值班台。",
        "{address}: testing until {until}; alarms of this home page nobody meanwhile. One that lasts for ten minutes"
        " still reaches the desk.",
    ),
    "commission.silent_service": Text(
        "服务没有在收消息，什么也听不到；请先运行 shouwang run。",
        "The service hears no broker now, so nothing will be heard; run `shouwang run` first.",
    ),
    # --- SMS: tails, which are never shortened ---------------------------------------------------------------------
    "tail.page": Text("接单回{code}", "Reply {code}"),
    "tail.code": Text("编号{code}", "Ref {code}"),
    "tail.help": Text("能去请回{code}", "Can you? {code}"),
    "tail.arrived": Text("到场回 到场{code}", "There? arrived {code}"),
    "tail.outcome": Text("回 属实{code}或误报{code}", "real {code} or false {code}"),
    # --- SMS: heads --------------------------------------------------------------------------------------------------
    "family.first": Text("已通知网格员，请联系老人", "Grid workers told, please call"),
    "inform.acknowledged": Text("{name}已接单，正前往{place} {title}", "{name} is going to {place} {title}"),
    "inform.arrived": Text("{name}已到场 {place} {title}", "{name} is at {place} {title}"),
    "inform.cannot_go": Text("{name}去不了 {place} {title}", "{name} cannot go {place} {title}"),
    "inform.arrival_overdue": Text(
        "{name}接单后{within}未到场，续通知他人 {place} {title}", "{name} overdue ({within}) {place} {title}"
    ),
    "inform.arrival_reminder": Text(
        "您接单已{within}未报到场，正续通知他人 {place} {title}", "{within} gone, others called {place} {title}"
    ),
    "inform.outcome_overdue": Text(
        "{name}到场{within}未报结果 {place} {title}", "{name}: no outcome in {within} {place} {title}"
    ),
    "inform.outcome_reminder": Text("请报处置结果 {place} {title}", "Outcome? {place} {title}"),
    "inform.cleared": Text("传感器已恢复，仍请现场核实 {place} {title}", "Sensor clear, do look {place} {title}"),
    "inform.cleared_partly": Text(
        "一处已恢复，还有{standing}处报警 {place} {title}", "{standing} still in alarm {place} {title}"
    ),
    "inform.worse": Text("另有更紧急的报警 {place} {title}", "And a more urgent alarm {place} {title}"),
    "inform.verified": Text("现场实时报警，正通知网格员 {place} {title}", "Live alarm now {place} {title}"),
    "inform.closed": Text("已结束({outcome}，{name}) {place} {title}", "Closed ({outcome}, {name}) {place} {title}"),
    "inform.cause_gone": Text("已恢复正常，无需处理 {place} {title}", "Back to normal {place} {title}"),
    # --- several homes in one message --------------------------------------------------------------------------------
    "bundle.alarms": Text("共{count}处报警", "{count} alarms"),
    "bundle.others": Text("共{count}处", "{count} homes"),
    "bundle.code": Text("编号", "code"),
    "bundle.ask": Text("接单回编号，都去回 全部", "Reply a code, or all"),
    # --- the longer text of channels without a limit ---------------------------------------------------------------
    "full.title": Text("{marks}{title}（{severity}）", "{marks}{title} ({severity})"),
    "full.place": Text("地点：{address}", "Where: {address}"),
    "full.resident": Text("住户：{name}", "Resident: {name}"),
    "full.resident_phone": Text("住户：{name}，电话{phone}", "Resident: {name}, phone {phone}"),
    "full.first": Text("先做：{first}", "First: {first}"),
    "full.steps": Text("步骤：", "Steps:"),
    "full.step": Text("{number}. {step}", "{number}. {step}"),
    "full.access": Text("进门：{access}", "Way in: {access}"),
    "full.hazard": Text("{name}：{where}", "{name}: {where}"),
    "full.ask": Text(
        "接单请回复 {code}；去不了请回复 去不了{code}", "To take it reply {code}; if you cannot go, reply no {code}"
    ),
    "full.code": Text("编号 {code}", "Reference {code}"),
    # --- what `shouwang doctor --send-test-to` sends -----------------------------------------------------------------
    "test.text": Text(
        "守望系统测试，收到即可，不必回复，也不必做任何事。", "Shouwang test. No need to answer or to do anything."
    ),
    "test.speech": Text(
        "这是守望系统的测试电话。不必做任何事，可以挂断。",
        "This is a test call from Shouwang. There is nothing to do. You can hang up.",
    ),
    # --- the telephone -----------------------------------------------------------------------------------------------
    "voice.page": Text("守望报警。{marks}{place}，{title}。", "Shouwang alarm. {marks}{place}: {title}."),
    "voice.person": Text("住户{person}。", "Resident {person}."),
    "voice.first": Text("请先{first}。", "First: {first}."),
    "voice.menu": Text(
        "接单请按1，去不了请按2，重听请按9。", "To take it press 1. If you cannot go press 2. To hear it again press 9."
    ),
    "voice.menu_all": Text(
        "另有{count}家也在等您，全部接单请按3。", "{count} more are waiting for you. To take them all press 3."
    ),
    "voice.family": Text(
        "网格员已接到通知，请尽快与老人联系。", "The grid workers have been told. Please call your relative."
    ),
    "voice.bundle": Text("守望报警。共{count}家。", "Shouwang alarm. {count} homes."),
    "voice.bundle_home": Text("{place}，{what}。", "{place}: {what}."),
    "voice.bundle_more": Text("另有{count}家，见短信。", "And {count} more; see your texts."),
    "voice.bundle_menu": Text(
        "全部接单请按1，都去不了请按2，重听请按9。",
        "To take all of them press 1. If you can go to none press 2. To hear it again press 9.",
    ),
    "voice.again": Text("再说一遍。", "Once more."),
    "voice.drill": Text("这是演练。", "This is a drill. "),
    "voice.unverified": Text("尚未核实。", "Not verified yet. "),
    "voice.late": Text("通知迟了{delay}。", "This call is {delay} late. "),
    "voice.realert": Text("再次报警。", "It alarms again. "),
    "voice.answered": Text(
        "{name}已经接单，正前往{address}。您不用去了，谢谢。",
        "{name} has taken it and is going to {address}. You need not go. Thank you.",
    ),
    "voice.over": Text("这件事已经结束，谢谢。", "This is over. Thank you."),
    "voice.goodbye": Text("谢谢，再见。", "Thank you. Goodbye."),
    "voice.wrong_key": Text("没有这个选项。", "There is no such choice."),
    # --- answers to a reply, a key or the desk ---------------------------------------------------------------------
    "answer.acknowledged": Text(
        "已接单{code}：{title}，{address}。到场后回复 到场{code}。",
        "{code} is yours: {title}, {address}. When there, reply arrived {code}.",
    ),
    "answer.acknowledged_plan": Text("{number}.{step}", "{number}. {step}"),
    "answer.acknowledged_access": Text("进门：{access}。", "Way in: {access}."),
    "answer.acknowledged_spoken": Text(
        "好的，由您前往{address}。请先{first}。到场后请短信回复，到场，{code}。",
        "Thank you, you are going to {address}. First: {first}. When there, please text arrived, {code}.",
    ),
    "answer.acknowledged_already": Text(
        "您已接单{code}：{title}，{address}。到场后回复 到场{code}。",
        "You already have {code}: {title}, {address}. When there, reply arrived {code}.",
    ),
    "answer.acknowledged_by_other": Text(
        "{name}已先接单{code}，正前往{address}，谢谢您。",
        "{name} already has {code} and is going to {address}. Thanks.",
    ),
    "answer.arrived": Text(
        "已记录您到场{code}。处置后回复 属实{code}、误报{code}、测试{code}、无人{code} 或 无异常{code}。",
        "{code}: you are there. Then reply real {code}, false {code}, test {code}, nobody {code} or nothing {code}.",
    ),
    "answer.arrived_already": Text(
        "您到场已记录{code}。处置后回复 属实{code} 或 误报{code}。",
        "{code}: we know you are there. Then reply real {code} or false {code}.",
    ),
    "answer.arrived_too": Text("已记录，{name}也在现场（{code}）。", "Noted; {name} is there too ({code})."),
    "answer.cannot_go": Text("知道了，正通知其他人（{code}）。", "Thank you, others are being told ({code})."),
    "answer.cannot_go_already": Text(
        "您说过去不了，已在通知其他人（{code}）。", "You said so; others are told ({code})."
    ),
    "answer.cannot_go_other": Text("知道了，{name}已在路上（{code}）。", "Thank you; {name} is on the way ({code})."),
    "answer.closed": Text("已结束{code}：{outcome}。谢谢！", "{code} is closed: {outcome}. Thank you!"),
    "answer.stopped": Text(
        "已停止向本号码发送短信，电话报警不受影响。恢复请回复 START。",
        "No more texts to this number; alarm calls go on. Reply START to have them again.",
    ),
    "answer.started": Text("已恢复向本号码发送短信。", "Texts to this number are on again."),
    "answer.unknown_sender": Text(
        "本号码未登记，无法处理。紧急情况请拨打119或120；登记请联系社区。",
        "This number is not registered here. In an emergency call 119 or 120; to register ask your community office.",
    ),
    "answer.help": Text(
        "接单请回短信末尾的编号（如K7）；到场回 到场K7；去不了回 去不了K7；结束回 属实K7 或 误报K7。",
        "To take an alarm reply its code, such as K7. Then: arrived K7; no K7 if you cannot go; real K7 or false K7.",
    ),
    "answer.wrong_code": Text(
        "没有编号{code}的事件，请核对短信末尾的编号。",
        "There is no {code}. Please check the code at the end of the text.",
    ),
    "answer.not_involved": Text("{code}不属于您负责的范围。", "{code} is not in your area."),
    "answer.outcome_needs_code": Text(
        "结果请带编号：属实{code} 或 误报{code}。",
        "Please name the outcome with its code: real {code} or false {code}.",
    ),
    "answer.which": Text("有多件事等您，请带编号回复：{codes}", "Several are waiting, please name one: {codes}"),
    "answer.which_or_all": Text(
        "有多件事等您，请带编号回复：{codes}；都去请回 全部",
        "Several are waiting, please name one: {codes}; or reply all to take them all",
    ),
    "answer.all_acknowledged": Text(
        "已接单{count}件：{codes}。先去{title}，{address}（{code}）。到场后逐件回复，如 到场{code}。",
        "{count} are yours: {codes}. First: {title}, {address} ({code}). Reply for each when there, as arrived {code}.",
    ),
    "answer.all_acknowledged_spoken": Text(
        "好的，{count}件都由您负责。先去{address}，{title}。请先{first}。其余编号见短信。",
        "Thank you, all {count} are yours. First go to {address}: {title}. {first}. See your texts for the others.",
    ),
    "answer.all_arrived": Text(
        "已记录您到场{count}件：{codes}。结果请逐件回复，如 属实{code} 或 误报{code}。",
        "You are there for {count}: {codes}. Then reply each outcome, as real {code} or false {code}.",
    ),
    "answer.all_cannot_go": Text(
        "知道了，{count}件正通知其他人：{codes}。", "Thank you, others are told of {count}: {codes}."
    ),
    "answer.all_yours": Text(
        "没有别的在等您接单。您名下：{codes}。", "Nothing else is waiting for you. Yours: {codes}."
    ),
    "answer.all_none": Text("现在没有等您答复的事件。", "Nothing is waiting for you now."),
    "answer.outcome_each": Text(
        "结果请逐件回复，如 属实{code} 或 误报{code}。等结果的：{codes}",
        "Please give each outcome by its code, as real {code} or false {code}. Waiting: {codes}",
    ),
    # --- refusals ----------------------------------------------------------------------------------------------------
    "refusal.resolved": Text("{code}已由{name}结束（{outcome}）。", "{code} was closed by {name} ({outcome})."),
    "refusal.on_scene": Text("{name}已在现场（{code}）。", "{name} is already on the scene ({code})."),
    "refusal.give_outcome": Text(
        "{name}已在现场，请回报结果：属实{code} 或 误报{code}。",
        "{name} is on the scene; please give the outcome: real {code} or false {code}.",
    ),
    "refusal.no_outcome": Text(
        "结束{code}要有结果：属实、误报、测试、无人、无异常。",
        "{code} needs an outcome: real, false, test, nobody or nothing.",
    ),
    "refusal.not_for_people": Text("{verb}不能由人操作（{code}）。", "{verb} is nothing a person can do ({code})."),
    "refusal.family": Text("{code}由网格员处理，谢谢您。", "{code} is being handled by the grid workers. Thank you."),
    # --- plans -------------------------------------------------------------------------------------------------------
    "plan.unknown": Text("（未登记）", "(not registered)"),
    # --- words -------------------------------------------------------------------------------------------------------
    "outcome.real": Text("属实", "real"),
    "outcome.false_alarm": Text("误报", "false alarm"),
    "outcome.test": Text("测试", "test"),
    "outcome.no_one_home": Text("无人在家", "no one home"),
    "outcome.nothing_found": Text("无异常", "nothing found"),
    "outcome.cause_gone": Text("已自行恢复", "cause gone"),
    "state.open": Text("待接单", "open"),
    "state.acknowledged": Text("已接单", "acknowledged"),
    "state.on_scene": Text("已到场", "on the scene"),
    "state.resolved": Text("已结束", "resolved"),
    "severity.notice": Text("提示", "notice"),
    "severity.warning": Text("注意", "warning"),
    "severity.high": Text("严重", "high"),
    "severity.critical": Text("危急", "critical"),
    "verb.acknowledge": Text("接单", "acknowledge"),
    "verb.arrive": Text("到场", "arrive"),
    "verb.outcome": Text("结束", "outcome"),
    "verb.cannot_go": Text("去不了", "cannot go"),
    "verb.arrival_overdue": Text("到场超时", "arrival overdue"),
    "verb.cause_gone": Text("原因消失", "cause gone"),
    "verb.verified": Text("核实", "verified"),
    "channel.sms": Text("短信", "SMS"),
    "channel.voice": Text("电话", "voice call"),
    "channel.apprise": Text("推送", "push"),
    "channel.webhook": Text("接口", "webhook"),
    "channel.console": Text("终端", "console"),
    "via.sms": Text("短信", "SMS"),
    "via.voice": Text("电话按键", "key on a call"),
    "via.api": Text("接口", "API"),
    "via.cli": Text("值守终端", "command line"),
    "via.page": Text("网页", "page"),
    "target.assigned": Text("责任网格员", "assigned"),
    "target.backup": Text("后备", "back-up"),
    "target.general": Text("一般网格", "general grid"),
    "target.desk": Text("值守台", "desk"),
    "target.contacts": Text("家属", "family"),
    "hazard.gas_valve": Text("燃气阀", "Gas valve"),
    "hazard.water_valve": Text("水阀", "Water valve"),
    "hazard.breaker": Text("电闸", "Breaker"),
    "hazard.power_switch": Text("电源开关", "Power switch"),
    "hazard.oxygen": Text("氧气瓶", "Oxygen"),
    "hazard.dog": Text("狗", "Dog"),
    "duration.seconds": Text("{number}秒", "{number} s"),
    "duration.minutes": Text("{number}分钟", "{number} min"),
    "duration.hours": Text("{number}小时", "{number} h"),
    "duration.days": Text("{number}天", "{number} days"),
    "list.and": Text("、", ", "),
    # What providers say of a message or a call that has not arrived; a code may follow it.
    "failure.no-answer": Text("无人接听", "no answer"),
    "failure.busy": Text("占线", "busy"),
    "failure.undelivered": Text("未送达", "undelivered"),
    "failure.failed": Text("失败", "failed"),
    "failure.canceled": Text("已取消", "cancelled"),
    # --- the journal -------------------------------------------------------------------------------------------------
    "journal.opened": Text("{title}：{reason}", "{title}: {reason}"),
    "journal.opened_unverified": Text("{title}（待核实）：{reason}", "{title} (unverified): {reason}"),
    "journal.joined": Text("{title}并入：{reason}", "{title} joined: {reason}"),
    "journal.joined_unverified": Text("{title}并入（待核实）：{reason}", "{title} joined (unverified): {reason}"),
    "journal.repeated": Text("再次上报，共{count}次：{reason}", "Reported again, {count} times in all: {reason}"),
    "journal.realerted": Text("又报警，第{times}次再通知", "In alarm again; re-alert {times}"),
    "journal.verified": Text("实时报警已核实，按预案通知", "A live alarm verified it; the policy begins"),
    "journal.severity_raised": Text("级别由{before}升为{after}", "Raised from {before} to {after}"),
    "journal.cleared": Text(
        "传感器恢复，还有{standing}处未恢复：{reason}", "Cleared, {standing} still stand: {reason}"
    ),
    "journal.cleared_all": Text("传感器恢复：{reason}", "Cleared: {reason}"),
    "journal.paged": Text("{step}：{channels}通知{name}", "{step}: {name} paged by {channels}"),
    "journal.family_told": Text("{step}：{channels}告知家属{name}", "{step}: family {name} told by {channels}"),
    "journal.step_empty": Text(
        "{step}（{targets}）没有可通知的人，立即进入下一步", "{step} ({targets}) has nobody; on at once"
    ),
    "journal.round_began": Text("无人接单，开始第{times}轮通知", "Nobody answered; round {times} begins"),
    "journal.everybody_declined": Text(
        "能通知的人都说去不了，下一轮重新通知", "All have declined; they are asked again next round"
    ),
    "journal.nobody_to_page": Text("这一轮没有任何可通知的人", "There was nobody to page in this round"),
    "journal.nobody_on_duty": Text("{wanted}无人值班，改由{instead}", "Nobody on duty in {wanted}; {instead} instead"),
    "journal.nobody_on_duty_anywhere": Text(
        "{wanted}及上级均无人值班，不论班次通知最近的人",
        "Nobody on duty in {wanted} or above; the nearest people regardless",
    ),
    "journal.desk_off_duty": Text("值守台无人值班，不论班次通知", "No desk on duty; told regardless of shift"),
    "journal.no_desk": Text("没有登记值守台，改由责任网格员", "There is no desk; the assigned people instead"),
    "journal.late": Text("{step}迟了{delay}发出", "{step} fired {delay} late"),
    "journal.acknowledged": Text("{name}接单（{via}）", "{name} acknowledged ({via})"),
    "journal.acknowledged_too": Text(
        "{name}也接单（{via}），{answered}已先接", "{name} too ({via}); {answered} was first"
    ),
    "journal.arrived": Text("{name}到场（{via}）", "{name} arrived ({via})"),
    "journal.arrived_too": Text("{name}也到场（{via}）", "{name} arrived too ({via})"),
    "journal.cannot_go": Text("{name}去不了（{via}）", "{name} cannot go ({via})"),
    "journal.arrival_overdue": Text(
        "{name}接单后{within}未到场，继续通知", "{name} not there after {within}; paging goes on"
    ),
    "journal.outcome_overdue": Text(
        "{name}到场后{within}未报结果，已提醒", "{name} gave no outcome in {within}; reminded"
    ),
    "journal.resolved": Text("{name}结束：{outcome}（{via}）", "{name} closed it: {outcome} ({via})"),
    "journal.cause_gone": Text("原因消失，自行结束", "The cause is gone; closed by itself"),
    "journal.informed": Text("告知{names}：{what}", "Told {names}: {what}"),
    "journal.delivery_failed": Text("给{name}的{channel}没有成功：{reason}", "{channel} to {name} failed: {reason}"),
    "journal.delivery_in_doubt": Text("给{name}的{channel}迟迟没有结果", "{channel} to {name} is still in doubt"),
    "journal.fell_back": Text("改用{channel}通知{name}", "{name} is tried by {channel} instead"),
    "journal.stepped_on": Text("{name}联系不上，立即进入下一步", "{name} cannot be reached; the next step at once"),
    "journal.repaired": Text("自检发现无人处理也无下一步，已重新安排", "It stood still; the auditor set its next step"),
    "journal.sent": Text("给{name}的{channel}已发出", "{channel} to {name} handed over"),
    "journal.delivered": Text("给{name}的{channel}已送达", "{channel} to {name} delivered"),
    "journal.doubt": Text(
        "给{name}的{channel}是否发出不明，正在查询", "{channel} to {name}: not known whether it left; asking"
    ),
    "journal.doubt_found": Text("查明给{name}的{channel}已发出", "{channel} to {name} had left after all"),
    "journal.doubt_resent": Text("给{name}的{channel}未发出，重发", "{channel} to {name} had not left; sent again"),
    "journal.opted_out": Text("{name}已退订{channel}", "{name} has opted out of {channel}"),
    "journal.note": Text("{name}备注：{note}", "{name} noted: {note}"),
    "journal.other": Text("{event}（{actor}）", "{event} ({actor})"),
    # --- words within the journal ----------------------------------------------------------------------------------
    "step.round": Text("第{round}轮第{step}步", "Round {round} step {step}"),
    "step.realert": Text("第{times}次再报警", "Re-alert {times}"),
    "step.desk": Text("值守台第{times}次", "Desk, time {times}"),
    "step.fallback": Text("改用其他方式", "Another way"),
    "told.acknowledged": Text("谁在路上", "who is on the way"),
    "told.arrived": Text("谁已到场", "who is on the scene"),
    "told.cannot_go": Text("接单的人去不了", "that whoever answered cannot go"),
    "told.arrival_overdue": Text("到场超时", "that the arrival is overdue"),
    "told.arrival_reminder": Text("催报到场", "to say that they have arrived"),
    "told.outcome_overdue": Text("结果超时", "that the outcome is overdue"),
    "told.outcome_reminder": Text("催报结果", "to give the outcome"),
    "told.cleared": Text("传感器恢复", "that the sensor is clear"),
    "told.cleared_partly": Text("一处传感器恢复", "that one sensor is clear"),
    "told.worse": Text("另有更紧急的报警", "that there is a more urgent alarm"),
    "told.verified": Text("实时报警", "that the alarm is live now"),
    "told.closed": Text("事件结束", "that it is over"),
    "told.cause_gone": Text("已自行恢复", "that the cause is gone"),
    # --- Shouwang's own trouble, told to those who run it ------------------------------------------------------------
    "trouble.head": Text("【守望自身故障】", "[Shouwang's own trouble]"),
    "trouble.news.raised": Text("▲ 新故障 {kind}：{what}", "▲ {kind}: {what}"),
    "trouble.news.still": Text("▲ {kind} 已持续{lasted}：{what}", "▲ {kind} for {lasted} now: {what}"),
    "trouble.news.cleared": Text("✓ {kind} 已恢复，历时{lasted}：{what}", "✓ {kind} is over after {lasted}: {what}"),
    "trouble.database": Text(
        "数据库不可用，暂时不处理也不确认任何消息{subject}",
        "the database cannot be used; nothing is decided and nothing acknowledged{subject}",
    ),
    "trouble.broker": Text(
        "连不上消息服务器，新的报警进不来{subject}", "the broker is away; no new alarm comes in{subject}"
    ),
    "trouble.outbox": Text("有通知迟迟没有发出{subject}", "pages wait and do not leave{subject}"),
    "trouble.provider": Text("发送渠道拒绝或连不上{subject}", "the provider refuses us or is not reached{subject}"),
    "trouble.quota": Text("发送额度或余额快用完{subject}", "the provider's quota or balance is near its end{subject}"),
    "trouble.clock": Text("系统时钟跳变{subject}", "the clock of the machine jumped{subject}"),
    "trouble.disk": Text("磁盘快满{subject}", "the disk is nearly full{subject}"),
    "trouble.part": Text("程序的一部分出错后已重新启动{subject}", "a part failed and was started again{subject}"),
    "trouble.auditor": Text(
        "自检发现有事件无人处理也无下一步，已重新安排{subject}",
        "open incidents stood still; the auditor set them going{subject}",
    ),
    "trouble.slow_database": Text("数据库很慢{subject}", "the database is slow{subject}"),
    "trouble.security": Text("可疑消息，可能有人恶意发送{subject}", "messages that may be meant to do harm{subject}"),
    "trouble.configuration": Text(
        "修改后的配置文件有误，仍按原配置运行{subject}", "edited files are refused; the old ones stay in force{subject}"
    ),
    "probe.text": Text("【守望自检】{id} 请忽略", "[Shouwang self-test] {id} Please ignore."),
}


def render(key: str, language: str, **values: object) -> str:
    """Say it in a language; one we do not speak is answered in Chinese. Raises KeyError for a key that is not there."""
    text = TEXTS[key]
    return (text.en if language == "en" else text.zh).format_map(values)


def word(kind: str, name: object, language: str) -> str:
    """The word for a member of a family of names, e.g. `outcome`, `channel`; the name itself where there is none."""
    key = f"{kind}.{name}"
    return render(key, language) if key in TEXTS else str(name)


def duration(seconds: float, language: str) -> str:
    """Say how long: seconds under a minute, whole minutes under two hours, hours under three days, then days."""
    if seconds < 60:
        return render("duration.seconds", language, number=int(seconds))
    if seconds < 7200:
        return render("duration.minutes", language, number=int(seconds // 60))
    if seconds < 3 * 86_400:
        return render("duration.hours", language, number=int(seconds // 3600))
    return render("duration.days", language, number=int(seconds // 86_400))


def render_journal(entry: JournalEntry, language: str) -> str:
    """Say what a line of the journal says; one of an event that has no sentence is named as it is."""
    key = f"journal.{entry.event}"
    if entry.detail.get("verified") is False and f"{key}_unverified" in TEXTS:
        key += "_unverified"
    if entry.event == "cleared" and not int(entry.detail.get("standing", 1)):
        key = "journal.cleared_all"
    if key not in TEXTS:
        return render("journal.other", language, event=entry.event, actor=entry.actor)
    text = TEXTS[key]
    values = _Told(actor=entry.actor)
    for name, value in entry.detail.items():
        say = _failure if name == "reason" and entry.event == "delivery_failed" else _SAID.get(name)
        values[name] = say(value, language) if say else value
    return (text.en if language == "en" else text.zh).format_map(values)


class _Told(dict[str, Any]):
    """A journal written by an older version may lack a detail; the line is shown all the same."""

    def __missing__(self, key: str) -> str:
        return "?"


_STEP_KEY = re.compile(r"r(?P<round>\d+)s(?P<step>\d+)|re(?P<realert>\d+)|desk:(?P<desk>\d+)|(?P<fallback>fb):.*")


def _step(key: Any, language: str) -> str:
    found = _STEP_KEY.fullmatch(str(key))
    match found.lastgroup if found else None:
        case "step" if found:
            return render("step.round", language, round=int(found["round"]) + 1, step=int(found["step"]) + 1)
        case "realert" if found:
            return render("step.realert", language, times=found["realert"])
        case "desk" if found:
            return render("step.desk", language, times=int(found["desk"]) + 1)
        case "fallback":
            return render("step.fallback", language)
        case _:
            return str(key)


def _list(kind: str) -> Callable[[Any, str], str]:
    return lambda names, language: render("list.and", language).join(word(kind, name, language) for name in names)


def _word(kind: str) -> Callable[[Any, str], str]:
    return lambda name, language: word(kind, name, language)


def _failure(reason: Any, language: str) -> str:
    status, _, code = str(reason).partition(" ")
    return " ".join(filter(None, (word("failure", status, language), code)))


#: How the details of a journal entry are said, by their names; others are said as they are.
_SAID: dict[str, Callable[[Any, str], str]] = {
    "step": _step,
    "channel": _word("channel"),
    "channels": _list("channel"),
    "targets": _list("target"),
    "names": _list("name"),
    "what": _word("told"),
    "via": _word("via"),
    "outcome": _word("outcome"),
    "before": _word("severity"),
    "after": _word("severity"),
    "delay": duration,
    "within": duration,
}
