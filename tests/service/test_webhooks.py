"""What goes over the wire to a sink: the signature, where it may go, and what is made of the answers."""

import base64
import json
import re
import secrets
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import standardwebhooks

from tests.support.receiver import Receiver
from tpmirror.config import load
from tpmirror.credentials import Secret
from tpmirror.errors import UsageError
from tpmirror.formatting import to_json_line
from tpmirror.service import webhooks
from tpmirror.service.webhooks import Webhooks, displayed, headers, read_keys

ROOT = Path(__file__).parents[2]
BODY = {"type": "test", "data": {"name": "Ünïcode \u202e \x7f"}}


def secret():
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


@pytest.fixture
def receiver():
    with Receiver(secret()) as made:
        yield made


@pytest.fixture
def settings(tmp_path):
    """Settings of one sink, crm, at a URL."""

    def made(url, *lines, **variables):
        path = tmp_path / "secrets"
        path.write_text("\n".join(lines or [f"crm {secret()}"]))
        given = {"TPMIRROR_WEBHOOK_URLS": f"crm={url}", "TPMIRROR_WEBHOOK_SECRET_FILE": str(path), **variables}
        return load(given)

    return made


def send(found):
    with found:
        return found.send("crm", "tps_1", BODY, found.read_keys()["crm"])


def test_a_signature_is_the_one_of_the_specification():
    """The example of the specification's reference implementations."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    sent = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', [key], now=1614265330.9)
    assert sent["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert sent["webhook-timestamp"] == "1614265330"


def test_an_event_is_verified_by_the_librarys_own_means(receiver, settings):
    outcome = send(Webhooks(settings(receiver.url, f"crm {receiver.secret}")))
    assert (outcome.status, outcome.error) == (204, None)
    (one,) = receiver.received
    assert (one.event, one.id) == (BODY, "tps_1")
    assert one.headers["authorization"] == "Basic " + base64.b64encode(b"user:hush-hush").decode()
    assert receiver.paths == ["/hook?token=hush-hush"]


def test_while_a_secret_is_replaced_the_old_and_the_new_one_verify(receiver, settings):
    new = secret()
    assert send(Webhooks(settings(receiver.url, f"crm {receiver.secret}", f"crm {new}"))).error is None
    (one,) = receiver.received
    assert one.headers["webhook-signature"].count("v1,") == 2
    content = to_json_line(BODY).encode()
    assert standardwebhooks.Webhook(new).verify(content, one.headers) == BODY
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(secret()).verify(content, one.headers)


def example(language):
    """The example of the documentation that verifies by hand."""
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^```{language} verify\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return found


def test_the_documented_python_tells_the_genuine_from_the_forged():
    scope: dict[str, Any] = {}
    exec(example("python"), scope)  # noqa: S102 - ours
    shared, content = secret(), b'{"a":1}'
    key = base64.b64decode(shared.removeprefix("whsec_"))
    sent = headers("tps_1", content, [b"k" * 32, key])
    assert scope["verify"](shared, sent, content)
    assert not scope["verify"](shared, sent, content + b" ")
    assert not scope["verify"](secret(), sent, content)
    assert not scope["verify"](shared, headers("tps_1", content, [key], now=1000), content)


def test_the_documented_node_tells_the_genuine_from_the_forged(node):
    shared, content = secret(), '{"a":"ü"}'
    key = base64.b64decode(shared.removeprefix("whsec_"))
    sent = headers("tps_1", content.encode(), [b"k" * 32, key])
    old = headers("tps_1", content.encode(), [key], now=1000)
    tries = [[shared, sent, content], [shared, sent, content + " "], [secret(), sent, content], [shared, old, content]]
    script = f"{example('js')}\nconsole.log(JSON.stringify({json.dumps(tries)}.map((one) => verify(...one))));"
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == [True, False, False, False]


@pytest.fixture(scope="session")
def node():
    """Playwright brings one along."""
    from playwright._impl._driver import compute_driver_executable

    return compute_driver_executable()[0]


@pytest.mark.parametrize("url", [
    "http://example.com/", "ftp://localhost/", "https://", "localhost:80", "http://10.0.0.1/", "https://exämple.com/",
    "https://h:99999/", "https://h:0/", "file:///etc/passwd", "http://[::1", "https://user:hush-hush@/",
])  # fmt: skip
def test_a_url_that_nothing_may_be_sent_to_is_refused_and_not_shown(settings, url):
    with pytest.raises(UsageError, match="TPMIRROR_WEBHOOK_URLS: the sink crm has no URL for events") as refused:
        Webhooks(settings(url))
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("value", ["https://u:hush-hush@h/", "crm", "a=https://x a=https://y", "a b=1", "ü=https://x"])
def test_sinks_without_a_name_are_refused_and_not_shown(value):
    with pytest.raises(UsageError, match="TPMIRROR_WEBHOOK_URLS is a value that may hold a secret; it accepts") as no:
        load({"TPMIRROR_WEBHOOK_URLS": value})
    assert "hush" not in str(no.value)


@pytest.mark.parametrize(("lines", "reason"), [
    ([""], "has to hold one secret of the sink crm"),
    (["other " + secret()], "has to hold one secret of the sink crm"),
    (["crm " + secret()] * 3, "or two while one is being replaced"),
    (["crm whsec_c2hvcnQ="], "line 1: NAME whsec_ and 24 to 64 bytes in base64"),
    (["", "crm " + secret()[6:]], "line 2: NAME whsec_"),
    (["crm whsec_hush-hush"], "line 1: NAME whsec_"),
    (["crm " + secret()] * 100, "is too long"),
])  # fmt: skip
def test_a_file_without_a_usable_secret_is_refused_without_showing_it(settings, lines, reason):
    with pytest.raises(UsageError, match=reason) as refused:
        read_keys(settings("https://h/", *lines))
    assert not any(line[10:] in str(refused.value) for line in lines if line)


def test_sinks_without_a_file_of_secrets_are_refused():
    with pytest.raises(UsageError, match="set TPMIRROR_WEBHOOK_SECRET_FILE to a file"):
        Webhooks(load({"TPMIRROR_WEBHOOK_URLS": "crm=https://h/"}))


def test_a_url_is_shown_without_its_secrets():
    url = Secret("https://user:hush-hush@crm.example.com:8443/hook?token=hush-hush#hush")
    assert displayed(url) == "https://crm.example.com:8443/hook"


def resolve_to(monkeypatch, *addresses):
    def resolve(host, port, *_, **__):
        there = addresses if host == "crm.example.com" else [host]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in there]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


PRIVATE = [
    "10.1.2.3", "127.0.0.1", "169.254.169.254", "192.168.0.1", "100.64.0.1", "0.0.0.1", "224.0.0.1", "::1",
    "fe80::1%eth0", "fd00::1", "::ffff:10.1.2.3", "64:ff9b::a01:203", "2002:a01:203::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_into_a_private_network_is_refused_when_it_is_connected_to(settings, monkeypatch, address):
    found = Webhooks(settings("https://crm.example.com/"))
    resolve_to(monkeypatch, address)
    outcome = send(found)
    assert outcome.status is None
    assert f"{address} is no public address; name it in TPMIRROR_WEBHOOK_ALLOW" in outcome.error


@pytest.mark.parametrize("allowed", ["127.0.0.1", "10.0.0.0/8, 127.0.0.0/24"])
def test_a_private_address_that_the_settings_name_is_reached(receiver, settings, monkeypatch, allowed):
    """There is no TLS there: that it is asked for shows that the address was reached."""
    port = httpx.URL(receiver.url).port
    found = Webhooks(settings(f"https://crm.example.com:{port}/", TPMIRROR_WEBHOOK_ALLOW=allowed))
    resolve_to(monkeypatch, "192.168.0.1", "127.0.0.1")
    assert "SSL" in send(found).error


def test_networks_that_are_none_are_refused():
    with pytest.raises(UsageError, match=r"TPMIRROR_WEBHOOK_ALLOW is '10.1/8'; it accepts addresses or networks"):
        load({"TPMIRROR_WEBHOOK_ALLOW": "10.1/8"})


def test_a_redirect_is_not_followed(receiver, settings):
    receiver.answer = lambda _event: 307
    receiver.sent_to["location"] = receiver.url
    outcome = send(Webhooks(settings(receiver.url, f"crm {receiver.secret}")))
    assert outcome == webhooks.Outcome(307, "HTTP 307, a redirect, which is not followed")
    assert len(receiver.received) == 1


def test_a_sink_that_does_not_answer_in_time_is_given_up_waiting_for(receiver, settings, monkeypatch):
    monkeypatch.setattr(webhooks, "TIMEOUT", 0.3)
    receiver.answer = lambda _event: time.sleep(1)
    outcome = send(Webhooks(settings(receiver.url, f"crm {receiver.secret}")))
    assert outcome == webhooks.Outcome(None, "no answer within 0 s")


def test_a_sink_that_hangs_up_or_is_not_there_is_an_outcome(receiver, settings):
    found = Webhooks(settings(receiver.url, f"crm {receiver.secret}"))
    receiver.answer = lambda _event: None
    assert send(found) == webhooks.Outcome(None, "no answer: RemoteProtocolError")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    assert "refused" in send(Webhooks(settings(f"http://127.0.0.1:{port}/"))).error
