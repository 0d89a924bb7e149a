"""People are told of failed runs and late work, over real sockets, and once."""

import datetime as dt
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from billing_pipeline.books import due
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.orchestration import alerts
from billing_pipeline.orchestration.alerts import tell_of_failed_runs, tell_of_overdue_work
from billing_pipeline.orchestration.channels import (
    Alert,
    ChannelMisconfigured,
    Mail,
    Webhook,
    channels,
)
from billing_pipeline.orchestration.resources import BillingInstallation
from billing_pipeline_tests.books.builders import company

NOW = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
ALERT = Alert("billing: 1 late for acme", "acme bill_day 2026-03-01: look")


@contextmanager
def serving(server: socketserver.TCPServer) -> Iterator[int]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """URL of a web server, and what was posted to it."""
    posted: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with serving(HTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield f"http://127.0.0.1:{port}/hook", posted


@pytest.fixture
def mail_server() -> Iterator[tuple[str, list[str]]]:
    """URL of a mail server that speaks just enough SMTP, and the mails it took."""
    taken: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 ready\r\n")
            while line := self.rfile.readline().strip().upper():
                if line == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = iter(self.rfile.readline, b".\r\n")
                    taken.append(b"".join(lines).decode())
                if line == b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                self.wfile.write(b"250 fine\r\n")

    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        yield f"smtp://127.0.0.1:{port}", taken


def test_a_webhook_gets_title_and_text(hook: tuple[str, list[dict[str, str]]]) -> None:
    url, posted = hook

    Webhook(url).send(ALERT)

    assert posted == [{"title": ALERT.title, "text": f"{ALERT.title}\n{ALERT.text}"}]


def test_a_mail_server_gets_the_mail(mail_server: tuple[str, list[str]]) -> None:
    url, taken = mail_server

    Mail(url, "billing@example.org", "ops@example.org").send(ALERT)

    (mail,) = taken
    assert f"Subject: {ALERT.title}" in mail
    assert "To: ops@example.org" in mail
    assert ALERT.text in mail


MISTAKES = [
    ({"BILLING_ALERTS": "pigeon"}, "no channel 'pigeon'; there are email, webhook"),
    ({"BILLING_ALERTS": "webhook"}, "needs BILLING_ALERT_WEBHOOK_URL"),
    (
        {"BILLING_ALERTS": "webhook", "BILLING_ALERT_WEBHOOK_URL": "file:///etc/passwd"},
        "must begin with http",
    ),
    ({"BILLING_ALERTS": "webhook,email", "BILLING_ALERT_WEBHOOK_URL": "http://x"}, "SMTP_URL"),
]


@pytest.mark.parametrize(("environment", "words"), MISTAKES)
def test_a_channel_that_is_set_up_wrongly_says_which_variable(
    environment: dict[str, str], words: str
) -> None:
    with pytest.raises(ChannelMisconfigured, match=words):
        channels(environment)


def test_nothing_set_tells_nobody() -> None:
    assert channels({}) == []


def test_another_package_can_bring_a_channel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tmp_path / "pigeons-1.dist-info"
    made.mkdir()
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: pigeons\nVersion: 1\n")
    (made / "entry_points.txt").write_text(
        "[billing_pipeline.notification_channels]\npigeon = pigeons:Pigeon\n"
    )
    (tmp_path / "pigeons.py").write_text(
        "class Pigeon:\n"
        "    def __init__(self, environment): self.loft = environment['LOFT']\n"
        "    def __repr__(self): return f'Pigeon({self.loft})'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    environment = {"BILLING_ALERTS": "pigeon", "LOFT": "roof"}

    (pigeon,) = channels(environment)

    assert type(pigeon).__name__ == "Pigeon"
    assert repr(pigeon) == "Pigeon(roof)"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, hook: tuple[str, list[dict[str, str]]]) -> list[str]:
    """Titles and texts that arrive at the channel the environment names."""
    url, posted = hook
    monkeypatch.setenv("BILLING_ALERTS", "webhook")
    monkeypatch.setenv("BILLING_ALERT_WEBHOOK_URL", url)
    monkeypatch.setattr(alerts, "utc_now", lambda: NOW)
    return posted  # type: ignore[return-value]


@pytest.mark.dagster
@pytest.mark.postgres
def test_late_work_is_told_once_and_again_when_it_is_late_anew(
    engine: sa.Engine,
    database_url: str,
    told: list[dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BILLING_DATABASE_URL", database_url)
    company(engine)
    with installation_scope(engine) as connection:
        connection.execute(
            sa.text(
                "insert into bill_days (tenant_key, bill_day, due_at) values"
                " ('brand-a', '2026-03-09', '2026-03-09 05:00+00'),"
                " ('brand-b', '2026-03-10', '2026-03-10 11:00+00')"
            )
        )
        due.fail_bill_day(
            connection, "brand-a", dt.date(2026, 3, 9), message="usage is not complete"
        )

    cursor = tick(None)
    cursor = tick(cursor)

    assert [alert["title"] for alert in told] == ["billing: 1 late for brand-a"]
    assert "2026-03-09" in told[0]["text"]
    assert "usage is not complete" in told[0]["text"]
    monkeypatch.setattr(alerts, "utc_now", lambda: NOW + dt.timedelta(hours=3))
    tick(cursor)
    assert [alert["title"] for alert in told[1:]] == ["billing: 1 late for brand-b"]


@pytest.mark.dagster
def test_a_failed_run_is_told_with_its_tenant_and_its_reason(told: list[dict[str, str]]) -> None:
    @dg.op
    def breaks() -> None:
        raise ValueError("the lake is full")

    @dg.job(tags={"billing/tenant": "acme"})
    def bill_run() -> None:
        breaks()

    with dg.DagsterInstance.ephemeral() as instance:
        result = bill_run.execute_in_process(instance=instance, raise_on_error=False)
        context = dg.build_run_status_sensor_context(
            sensor_name="tell_of_failed_runs",
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            dagster_event=result.get_run_failure_event(),
        ).for_run_failure()
        tell_of_failed_runs(context)

    (alert,) = told
    assert alert["title"] == "billing: bill_run failed for acme"
    assert result.run_id in alert["text"]


def tick(cursor: str | None) -> str | None:
    """One look at late work; the cursor afterwards."""
    with dg.build_sensor_context(
        cursor=cursor, resources={"billing": BillingInstallation()}
    ) as context:
        tell_of_overdue_work.evaluate_tick(context)
        return context.cursor
