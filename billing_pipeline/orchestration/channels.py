"""How people are told: a webhook, e-mail, or a channel of another package.

Which ones is said by BILLING_ALERTS, a list like `webhook,email`; addresses and secrets stand in
the environment only. Other packages register channels under the entry point group
`billing_pipeline.notification_channels`: a callable of the environment that gives a Channel.
"""

import json
import smtplib
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from importlib.metadata import entry_points
from typing import Protocol
from urllib.parse import unquote, urlsplit

GROUP = "billing_pipeline.notification_channels"
_TIMEOUT_S = 10


@dataclass(frozen=True)
class Alert:
    """Something a person should know: one line, and the particulars in plain text."""

    title: str
    text: str


class Channel(Protocol):
    """Delivers an alert or raises."""

    def send(self, alert: Alert) -> None:
        """Deliver it. Raises: OSError if it cannot be delivered now."""


class ChannelMisconfigured(Exception):
    """A channel is asked for that does not exist or lacks its address."""


@dataclass(frozen=True)
class Webhook:
    """Posts JSON with `title` and `text`; Slack, Mattermost and Teams show the text."""

    url: str

    def send(self, alert: Alert) -> None:
        """Post it."""
        body = json.dumps({"title": alert.title, "text": f"{alert.title}\n{alert.text}"}).encode()
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            self.url, data=body, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S):  # noqa: S310 - see above
            pass


@dataclass(frozen=True)
class Mail:
    """Sends plain text through an SMTP server, with TLS for `smtps`."""

    server_url: str
    sender: str
    recipients: str

    def send(self, alert: Alert) -> None:
        """Send it."""
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = (
            alert.title,
            self.sender,
            self.recipients,
        )
        message.set_content(alert.text)
        server = urlsplit(self.server_url)
        connect = smtplib.SMTP_SSL if server.scheme == "smtps" else smtplib.SMTP
        with connect(server.hostname or "", server.port or 0, timeout=_TIMEOUT_S) as smtp:
            if server.username:
                smtp.login(unquote(server.username), unquote(server.password or ""))
            smtp.send_message(message)


def channels(environment: Mapping[str, str]) -> list[Channel]:
    """The channels BILLING_ALERTS asks for; none if it is not set.

    Raises: ChannelMisconfigured with the variable to set.
    """
    names = environment.get("BILLING_ALERTS", "").split(",")
    return [_made(name.strip(), environment) for name in names if name.strip()]


def _made(name: str, environment: Mapping[str, str]) -> Channel:
    if name in _SHIPPED:
        return _SHIPPED[name](environment)
    for point in entry_points(group=GROUP, name=name):
        made: Channel = point.load()(environment)
        return made
    known = ", ".join(sorted({*_SHIPPED, *(point.name for point in entry_points(group=GROUP))}))
    raise ChannelMisconfigured(f"BILLING_ALERTS: there is no channel {name!r}; there are {known}")


def _webhook(environment: Mapping[str, str]) -> Channel:
    url = _required(environment, "BILLING_ALERT_WEBHOOK_URL")
    if urlsplit(url).scheme not in ("http", "https"):
        raise ChannelMisconfigured("BILLING_ALERT_WEBHOOK_URL must begin with http:// or https://")
    return Webhook(url)


def _mail(environment: Mapping[str, str]) -> Channel:
    return Mail(
        _required(environment, "BILLING_ALERT_SMTP_URL"),
        _required(environment, "BILLING_ALERT_MAIL_FROM"),
        _required(environment, "BILLING_ALERT_MAIL_TO"),
    )


def _required(environment: Mapping[str, str], variable: str) -> str:
    if value := environment.get(variable):
        return value
    raise ChannelMisconfigured(f"BILLING_ALERTS asks for a channel that needs {variable}; set it")


_SHIPPED: dict[str, Callable[[Mapping[str, str]], Channel]] = {"webhook": _webhook, "email": _mail}
