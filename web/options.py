"""What the HTTP side needs to know of the settings."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class WebOptions:
    """Settings of the HTTP side. Secrets stay out of its repr, and so out of logs."""

    #: Where the server listens; decides whether the API may do without a token.
    listen: str = "127.0.0.1:8080"
    #: How the outside reaches us, e.g. `https://alarm.example.org`; what Twilio signs.
    public_url: str | None = None
    #: None or empty: the API answers this machine only, and nobody where there is a public address.
    api_token: str | None = field(default=None, repr=False)
    #: None or empty: the webhooks answer 503.
    twilio_auth_token: str | None = field(default=None, repr=False)
    #: The same of the second provider of texts and calls, where there is one.
    twilio_2_auth_token: str | None = field(default=None, repr=False)
    max_body_bytes: int = 64 * 1024
    #: Seconds that the checks of /readyz and the refresh before /metrics may take.
    check_timeout_s: float = 5.0
