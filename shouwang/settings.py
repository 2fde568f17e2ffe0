"""Settings: what differs from one installation to the next, from the environment (`SHOUWANG_…`) and `.env`.

Nothing here is read from the three files, and nothing secret belongs into them. Values of secrets are in no message,
no repr and no log.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest.options import MqttOptions, OptionsError, Protocol
from rules.bundle import Bundling
from rules.pace import Pacing
from shouwang import setting_values as values
from shouwang.config.problems import nearest
from shouwang.environment import DOTENV, environment
from shouwang.sieve import Limits

_log = logging.getLogger(__name__)

PREFIX: Final = "SHOUWANG_"
#: Variables of the project that are no settings of the service.
_OTHER_VARIABLES: Final = ("SHOUWANG_TEST_",)


class SettingsError(Exception):
    """The settings cannot be used; `problems` has a sentence for each variable that is wrong, and no secret."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


class _Group(BaseModel):
    # What is not known is told as a warning, with what was probably meant: a typo must not stop an alarm service.
    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


class MqttSettings(_Group):
    """The broker."""

    url: Annotated[SecretStr, AfterValidator(values.broker)] = SecretStr("mqtt://127.0.0.1:1883")
    """Where the broker is: mqtt://user:password@host:port, mqtts://… for TLS, or `embedded`."""
    client_id: str | None = None
    """The name under which the broker keeps our messages; shouwang-ingest-0 where nothing is said."""
    protocol: Protocol | None = None
    """The version of MQTT: 5, 3.1.1, or auto (5, and 3.1.1 where the broker refuses that)."""
    keepalive_s: Annotated[int, Field(ge=5, le=3600)] | None = None
    """Seconds of silence after which the connection is tried; 20 where nothing is said."""
    session_expiry_s: Annotated[int, Field(ge=60, le=0xFFFFFFFE)] | None = None
    """Seconds the broker keeps our messages while we are away (MQTT 5); 30 days where nothing is said."""
    receive_maximum: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Messages the broker may send before we acknowledge (MQTT 5); 1000 where nothing is said."""
    payload_limit: Annotated[int, Field(ge=1024, le=268_435_455)] | None = None
    """Bytes that a message may have; of a larger one the beginning goes to quarantine; 4 MiB where nothing is said."""
    per_topic: Annotated[int, Field(ge=0, le=1_000_000)] = Limits().of_topic
    """Messages a minute on one topic (a device, as a rule) before its ordinary ones are thinned; 0: any number."""
    per_source: Annotated[int, Field(ge=0, le=100_000_000)] = Limits().of_source
    """Messages a minute of one source before its ordinary ones are thinned, at least 60 a device; 0: any number."""
    ca_file: Path | None = None
    """A PEM file with the authorities to trust instead of the system's."""
    cert_file: Path | None = None
    """A PEM file with our own certificate, for brokers that ask for one."""
    key_file: Path | None = None
    """A PEM file with the key of that certificate."""
    embedded_dir: Path = Path("shouwang-broker")
    """Where the embedded broker keeps its messages."""
    embedded_port: int = Field(default=1883, ge=0, le=65535)
    """The port the embedded broker listens on; 0 for any that is free."""

    def options(self, *, url: str | None = None) -> MqttOptions:
        """What the connection needs; `url` is where the embedded broker has been started. Raises OptionsError."""
        return MqttOptions.from_url(
            self.url.get_secret_value() if url is None else url,
            client_id=self.client_id,
            protocol=self.protocol,
            keepalive_s=self.keepalive_s,
            session_expiry_s=self.session_expiry_s,
            receive_maximum=self.receive_maximum,
            payload_limit=self.payload_limit,
            ca_file=self.ca_file,
            cert_file=self.cert_file,
            key_file=self.key_file,
        )

    def limits(self) -> Limits:
        """How much may come in a minute before it is thinned."""
        return Limits(of_topic=self.per_topic, of_source=self.per_source)

    @property
    def is_embedded(self) -> bool:
        """Whether the broker is to be started by the service itself."""
        return self.url.get_secret_value() == values.EMBEDDED

    @model_validator(mode="after")
    def _fits_together(self) -> "MqttSettings":
        if not self.is_embedded:
            try:
                self.options()
            except OptionsError as error:
                raise values.sentence(f"{PREFIX}MQTT__…: {error}") from None
        return self


class DatabaseSettings(_Group):
    """The database."""

    # It may hold a password, so it is in no repr.
    url: Annotated[str, AfterValidator(values.database)] = Field(default="sqlite:///shouwang.db", repr=False)
    """Where the database is: an SQLAlchemy address, sqlite:///FILE or postgresql://user:password@host/name."""
    retention_days: int = Field(default=90, ge=1, le=36_500)
    """Days for which changes of state and quarantined messages are kept; incidents are kept always."""


class HttpSettings(_Group):
    """Everything over HTTP."""

    listen: Annotated[str, AfterValidator(values.listen)] = "127.0.0.1:8080"
    """Where to listen: host:port."""
    public_url: Annotated[str, AfterValidator(values.web_address)] | None = None
    """How the outside, above all Twilio, reaches us; without it there are no replies, receipts and keys on calls."""
    api_token: SecretStr | None = None
    """The bearer token for /api/v1; without it the API answers this machine only."""


class TwilioSettings(_Group):
    """Texts and calls by Twilio, or by whoever speaks its API."""

    _group: ClassVar[str] = "twilio"

    account_sid: Annotated[str, AfterValidator(values.account_sid)] | None = None
    """The account."""
    auth_token: SecretStr | None = None
    """The account's token; it also proves that replies and receipts come from Twilio."""
    from_number: Annotated[str, AfterValidator(values.sender)] | None = None
    """The number that sends and calls, or (for texts only) the SID of a messaging service."""
    api_base_url: Annotated[str, AfterValidator(values.web_address)] | None = None
    """Another endpoint that speaks Twilio's API; https://api.twilio.com where nothing is said."""
    ring_s: int = Field(default=25, ge=5, le=600)
    """Seconds a phone rings: long enough to wake somebody, short enough not to reach most voice boxes."""
    detect_machines: bool = False
    """Whether Twilio listens for a voice box first; it costs some seconds of silence."""
    balance_below: float = Field(default=5, ge=0)
    """The balance, in the account's currency, below which the operators are told; 0 for never."""

    @property
    def is_set(self) -> bool:
        """Whether texts and calls can be sent."""
        return self.account_sid is not None

    @model_validator(mode="after")
    def _belong_together(self) -> "TwilioSettings":
        needed = ("account_sid", "auth_token", "from_number")
        missing = [name for name in needed if getattr(self, name) is None]
        if missing and len(missing) < len(needed):
            names = " and ".join(variable((self._group, name)) for name in missing)
            raise values.sentence(f"{names} must be set too: account, token and number are needed together")
        return self


class SecondTwilioSettings(TwilioSettings):
    """A second provider of texts and calls: another account of Twilio's, or another firm that speaks its API."""

    _group: ClassVar[str] = "twilio_2"


class WebhookSettings(_Group):
    """Signed JSON to addresses of the community's own."""

    secret: SecretStr | None = None
    """The key with which each request is signed; without it nothing is sent by webhook."""


class OperatorsSettings(_Group):
    """Those who run the service, and how they are told of its own trouble: one way after the other until one works."""

    webhook: Annotated[SecretStr, AfterValidator(values.full_web_address)] | None = None
    """An address that JSON is posted to, signed where SHOUWANG_WEBHOOK__SECRET is set; tried first."""
    apprise: Annotated[SecretStr, AfterValidator(values.apprise_addresses)] | None = None
    """Addresses of Apprise, with blanks between them; tried next, in this order."""
    sms: Annotated[str, AfterValidator(values.phone_numbers)] | None = Field(default=None, repr=False)
    """Phone numbers, with blanks between them; tried last, by the Twilio account."""

    @property
    def is_set(self) -> bool:
        """Whether anybody can be told."""
        return not (self.webhook is None and self.apprise is None and self.sms is None)


class HeartbeatSettings(_Group):
    """A sign of life to a place that raises the alarm when it stays away."""

    url: Annotated[SecretStr, AfterValidator(values.full_web_address)] | None = None
    """The address that is called while all is well; without it there is no heartbeat."""
    method: Literal["get", "post", "head"] = "get"
    """How it is called: get, post or head."""
    every_s: int = Field(default=60, ge=5, le=86_400)
    """Seconds between two calls."""


class ProbeSettings(_Group):
    """`shouwang probe`, the self-test from outside."""

    secret: Annotated[SecretStr, AfterValidator(values.secret_word)] | None = None
    """What a probe and its answer are signed with, the same on both machines; without it probes are refused."""


class MessagesSettings(_Group):
    """How messages to people are put together where many wait at once."""

    homes: Annotated[int, Field(ge=1, le=50)] = Bundling().homes
    """Homes in one message at the most; 1: each goes alone."""
    sms_parts: Annotated[int, Field(ge=1, le=7)] = Bundling().sms_parts
    """Parts of 67 characters that a text for several homes may take."""

    pace: Annotated[str, AfterValidator(values.pace)] | None = None
    """How many messages within how many seconds a channel, or an Apprise address, allows: sms=30/60 wecombot=20/60."""
    gap_s: Annotated[int, Field(ge=0, le=300)] = Pacing().gap_s
    """Seconds between two messages to one person by one way that are not about a life in danger."""

    def pacing(self) -> Pacing:
        """How fast ordinary messages may leave."""
        return Pacing(limits=values.limits(self.pace or ""), gap_s=self.gap_s)

    def bundling(self) -> Bundling:
        """What the outbox needs of it."""
        return Bundling(homes=self.homes, sms_parts=self.sms_parts)


class ConfigSettings(_Group):
    """The three files."""

    dir: Path = Path()
    """The folder with devices.yaml, grids.yaml and rules.yaml."""


class LogSettings(_Group):
    """Logs."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important lines to write: debug, info, warning, error."""
    format: Literal["auto", "text", "json"] = "auto"
    """text: for people; json: one object a line; auto: text on a terminal, json otherwise."""


class Settings(BaseSettings):
    """All settings. Made by `load`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
    )

    mqtt: MqttSettings = MqttSettings()
    """The broker."""
    database: DatabaseSettings = DatabaseSettings()
    """The database."""
    http: HttpSettings = HttpSettings()
    """Everything over HTTP."""
    twilio: TwilioSettings = TwilioSettings()
    """Texts and calls by Twilio."""
    twilio_2: SecondTwilioSettings = SecondTwilioSettings()
    """A second account, at Twilio or elsewhere, that takes over where the first fails."""
    webhook: WebhookSettings = WebhookSettings()
    """Signed JSON."""
    operators: OperatorsSettings = OperatorsSettings()
    """Those who run the service."""
    heartbeat: HeartbeatSettings = HeartbeatSettings()
    """A sign of life."""
    probe: ProbeSettings = ProbeSettings()
    """The self-test from outside."""
    messages: MessagesSettings = MessagesSettings()
    """Many messages at once."""
    config: ConfigSettings = ConfigSettings()
    """The three files."""
    log: LogSettings = LogSettings()
    """Logs."""
    time_zone: Annotated[str, AfterValidator(values.time_zone)] = "Asia/Shanghai"
    """The zone in which windows of the day and shifts are meant."""
    language: Literal["zh", "en"] = "zh"
    """The language of messages to people: zh or en."""


def load(dotenv: Path | None = DOTENV) -> Settings:
    """Read the settings from the environment and, where there is one, the file `.env` of the folder one is in.

    Raises SettingsError with a sentence for each variable that is wrong. Variables that look like settings and are none
    are told as warnings.
    """
    environ = environment(dotenv)
    if problems := [*_groups_set(environ)]:
        raise SettingsError(problems)
    sources: dict[str, Any] = {"_env_file": dotenv, "_env_file_encoding": "utf-8"}
    try:
        settings = Settings(**sources)
    except ValidationError as error:
        raise SettingsError(_rendered(one) for one in error.errors(include_url=False, include_input=False)) from None
    for warning in unknown_variables(environ):
        _log.warning("%s", warning)
    return settings


def variables() -> dict[str, tuple[str, ...]]:
    """Every environment variable that sets something, with the place of its field in Settings."""
    return {variable(loc): loc for loc in _fields(Settings, ())}


def variable(loc: tuple[str | int, ...]) -> str:
    """The environment variable of a field."""
    return PREFIX + "__".join(str(part) for part in loc).upper()


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that begins with SHOUWANG_ and sets nothing, with what was probably meant."""
    known = variables()
    strange = [name for name in sorted(environ) if name.upper().startswith(PREFIX) and name.upper() not in known]
    # What all of them begin with would make all of them alike.
    ends = {one.removeprefix(PREFIX): one for one in known}
    sentences = []
    for name in strange:
        if not name.upper().startswith(_OTHER_VARIABLES):
            meant = nearest(name.upper().removeprefix(PREFIX), ends)
            hint = "" if meant is None else f"; did you mean {ends[meant]}?"
            sentences.append(f"{name} is no setting of Shouwang{hint}")
    return sentences


def _groups_set(environ: Mapping[str, str]) -> Iterator[str]:
    """Refuse `SHOUWANG_CONFIG=/etc/shouwang`: the service would run with the wrong folder."""
    groups = {variable((name,)) for name, field in Settings.model_fields.items() if _is_group(field.annotation)}
    for name, value in sorted(environ.items()):
        if name.upper() in groups and value:
            meant = [one for one in variables() if one.startswith(f"{name.upper()}__")]
            likely = nearest(name.upper(), meant) if len(meant) > 1 else meant[0]
            yield f"{name} is the name of a group of settings; did you mean {likely or meant[0]}?"


def _is_group(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _fields(model: type[BaseModel], loc: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        if _is_group(field.annotation):
            yield from _fields(field.annotation, (*loc, name))  # type: ignore[arg-type]  # _is_group has said so
        else:
            yield (*loc, name)


def _rendered(error: ErrorDetails) -> str:
    """A sentence without the value: it could be a secret in the wrong place."""
    context = error.get("ctx", {})
    match error["type"]:
        case values.SENTENCE:
            message = str(context["message"])
        case "int_parsing" | "int_type":
            message = "this should be a whole number"
        case "bool_parsing" | "bool_type":
            message = "this should be true or false"
        case "literal_error" | "enum":
            message = f"this must be {context['expected']}".replace("'", "")
        case "greater_than_equal":
            message = f"this must be at least {context['ge']}"
        case "less_than_equal":
            message = f"this must be at most {context['le']}"
        case _:
            message = error["msg"]
    # A sentence about a group as a whole names the variables itself.
    name = variable(error["loc"])
    return f"{name}: {message}" if name in variables() else message
