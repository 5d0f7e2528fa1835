"""Web services asked over real sockets: answers, limits, repeats, and addresses within the house."""

import json
import socket
import time

import gevent
import pytest
from gevent.pywsgi import WSGIServer

from ivr.errors import WebFailed
from ivr.office import WebRequest
from ivr.web import MOST_BYTES, AddressForbidden, WebClient, _Guard

HERE = WebClient(["127.0.0.0/8"])


class Service:
    """A web service that answers as told, path by path."""

    def __init__(self):
        self.asked = []
        self.answers = {}
        self._server = WSGIServer(("127.0.0.1", 0), self._answer, log=None, error_log=None)
        self._server.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _answer(self, environ, start):
        path = environ["PATH_INFO"]
        body = environ["wsgi.input"].read().decode()
        self.asked.append(
            (environ["REQUEST_METHOD"], path, body, {k[5:]: v for k, v in environ.items() if k.startswith("HTTP_")})
        )
        answer = self.answers[path]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        status, headers, content = answer
        start(status, [("Content-Type", "application/json"), *headers])
        return content() if callable(content) else [content]

    def says(self, path, content=b"{}", status="200 OK", headers=()):
        self.answers[path] = (status, list(headers), content)

    def stop(self):
        self._server.stop(0.1)


@pytest.fixture
def service():
    service = Service()
    yield service
    service.stop()


def ask(service, path="/", client=HERE, **how):
    return client.request(WebRequest(**{"method": "GET", "url": service.url + path, "seconds": 3, **how}))


def test_json_comes_back(service):
    service.says("/", json.dumps({"a": [1, "ø"]}).encode())
    answer = ask(service, headers={"X-Name": "Søren"})
    assert (answer.status, answer.content) == (200, {"a": [1, "ø"]})
    assert service.asked[0][3]["X_NAME"].encode("latin-1").decode() == "Søren"


def test_json_is_sent(service):
    service.says("/")
    ask(service, method="POST", body={"a": "ø"})
    assert (service.asked[0][0], json.loads(service.asked[0][2])) == ("POST", {"a": "ø"})


def test_other_statuses_and_kinds_are_answers_too(service):
    service.says("/", b"gone", "404 Not Found")
    assert (ask(service).status, ask(service).content) == (404, None)
    service.says("/", b"<p>", headers=[("Content-Type", "text/html")])
    service.says("/", b"")
    assert ask(service).content is None


def test_what_is_no_json_or_too_long_fails(service):
    service.says("/", b"{")
    with pytest.raises(WebFailed, match="no JSON"):
        ask(service, tries=3)
    assert len(service.asked) == 1
    service.says("/", b" " * (MOST_BYTES + 1))
    with pytest.raises(WebFailed, match="longer"):
        ask(service)


def test_a_service_that_is_late_or_drips_fails_in_time(service):
    def late():
        gevent.sleep(20)
        yield b"{}"

    def drips():
        for _ in range(400):
            yield b" "
            gevent.sleep(0.05)

    for content in (late, drips):
        service.says("/", content)
        began = time.monotonic()
        with pytest.raises(WebFailed, match="within"):
            ask(service, seconds=0.5)
        assert time.monotonic() - began < 10


def test_what_does_no_harm_twice_is_asked_again(service):
    broken = ("503 Service Unavailable", [], b"{}")
    fine = ("200 OK", [], b"{}")
    service.answers["/"] = [broken, broken, fine]
    assert ask(service, tries=3).status == 200
    assert len(service.asked) == 3
    service.answers["/"] = [broken, fine]
    assert ask(service, tries=3, method="POST", body={}).status == 503


def test_nobody_there():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    for method in ("GET", "POST"):
        with pytest.raises(WebFailed, match="not reached"):
            HERE.request(WebRequest(method, url, seconds=1, tries=2))
    with pytest.raises(WebFailed, match="resolved"):
        HERE.request(WebRequest("GET", "http://no-such-host.invalid/", seconds=5))


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1",
     "fe80::1", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "240.0.0.1", "fe80::1%eth0"],
)  # fmt: skip
def test_addresses_within_the_house_are_not_asked(address):
    assert not _Guard([]).allows(address)


def test_public_and_allowed_addresses_are():
    assert _Guard([]).allows("93.184.215.14")
    assert _Guard([]).allows("2606:2800:21f:cb07:6820:80da:af6b:8b2c")
    assert _Guard(["10.0.0.0/8"]).allows("10.1.2.3")
    assert not _Guard(["10.0.0.0/8"]).allows("192.168.0.1")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"])
def test_no_spelling_of_this_machine_gets_through(service, host):
    port = service.url.rpartition(":")[2]
    with pytest.raises(WebFailed):
        WebClient().request(WebRequest("GET", f"http://{host}:{port}/", seconds=2))
    assert service.asked == []


def test_a_redirect_is_followed_where_it_may_go(service):
    service.says("/", b"", "302 Found", [("Location", "/there")])
    service.says("/there", b'{"here": true}')
    assert ask(service).content == {"here": True}
    service.says("/", b"", "302 Found", [("Location", "http://127.0.0.2:9/")])
    only_here = WebClient(["127.0.0.1/32"])
    with pytest.raises(AddressForbidden):
        ask(service, client=only_here)
    service.says("/", b"", "302 Found", [("Location", "/")])
    with pytest.raises(WebFailed, match="round"):
        ask(service)
    service.says("/", b"", "302 Found", [("Location", "file:///etc/passwd")])
    with pytest.raises(WebFailed, match="no web service"):
        ask(service)


def test_a_redirect_elsewhere_takes_no_secret_along(service):
    other = Service()
    try:
        other.says("/")
        service.says("/", b"", "307 Temporary Redirect", [("Location", other.url + "/")])
        ask(service, headers={"Authorization": "Bearer x", "X-Own": "y"})
        assert "AUTHORIZATION" not in other.asked[0][3]
        assert other.asked[0][3]["X_OWN"] == "y"
    finally:
        other.stop()


def test_faults_name_the_host_alone(service):
    service.says("/code-4711", b"{")
    with pytest.raises(WebFailed) as fault:
        ask(service, "/code-4711?pin=1234")
    assert "4711" not in str(fault.value)
    assert "1234" not in str(fault.value)
