"""Asking web services on behalf of a flow, without becoming a way into the house.

A flow's author, and with variables in a url its callers, decide what is asked for. So no address within the house is connected
to: neither loopback nor link-local nor private nor any other that is not of the public internet, unless its network is allowed.
The address is checked at the moment of connecting, on what the name resolved to, so that a name which resolves anew cannot
slip past, and again for each redirect. Certificates are checked; answers and times are bounded.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import gevent
import structlog
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError
from urllib3.util import Timeout, connection

from ivr.errors import WebFailed
from ivr.office import WebAnswer, WebRequest

MOST_BYTES: Final = 256 * 1024
MOST_REDIRECTS: Final = 3
HARMLESS_TWICE: Final = frozenset({"GET", "PUT", "DELETE"})
OUT_OF_ORDER: Final = frozenset({502, 503, 504})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PRIVATE_HEADERS: Final = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})

log = structlog.get_logger(__name__)

Network = IPv4Network | IPv6Network


class AddressForbidden(WebFailed):
    """A name that resolves to an address within the house, which the settings do not allow."""


class NotReached(WebFailed):
    """No connection was made, so nothing was asked yet."""


class _Guard:
    """Decides which addresses may be connected to."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed: tuple[Network, ...] = tuple(ip_network(network) for network in allowed)

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host that may be connected to. AddressForbidden where one may not be, for a name that has an
        inner and an outer address is a trick or a mistake."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise NotReached(f"{host!r} cannot be resolved: {error}") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for text in addresses:
            if not self.allows(text):
                raise AddressForbidden(
                    f"{host!r} is {text}, an address within the house; if it is meant, allow POINTSMAN_WEB_NETWORKS={text}"
                )
        return addresses

    def allows(self, text: str) -> bool:
        address = ip_address(text.partition("%")[0])
        if isinstance(address, IPv6Address):
            # An IPv4 address in IPv6's clothes is judged as what it is.
            inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
            address = inner or address
        if any(address in network for network in self._allowed if network.version == address.version):
            return True
        return address.is_global and not address.is_multicast


class WebClient:
    """Makes the requests of a process's calls. `allowed` are networks within the house that may be asked all the same."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        guard = _Guard(allowed)

        class _Http(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return _connected(self, guard)

        class _Https(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return _connected(self, guard)

        class _HttpPool(HTTPConnectionPool):
            ConnectionCls = _Http

        class _HttpsPool(HTTPSConnectionPool):
            ConnectionCls = _Https

        self._pools = urllib3.PoolManager(num_pools=20, maxsize=4, retries=False)
        self._pools.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def request(self, request: WebRequest) -> WebAnswer:
        """The answer of a service, whatever its status. WebFailed where there is none that can be used."""
        for tries_left in range(request.tries - 1, -1, -1):
            try:
                answer = self._in_time(request)
            except (AddressForbidden, _NoJson):
                raise
            except NotReached:
                if not tries_left:
                    raise
            except WebFailed:
                if not tries_left or request.method not in HARMLESS_TWICE:
                    raise
            else:
                again = answer.status in OUT_OF_ORDER and request.method in HARMLESS_TWICE
                if not tries_left or not again:
                    return answer
        raise AssertionError("the last try returns or raises")

    def _in_time(self, request: WebRequest) -> WebAnswer:
        late = WebFailed(f"{_host(request.url)} did not answer within {request.seconds} s")
        # Also a service that sends a byte a second is late.
        with gevent.Timeout(request.seconds, late):
            return self._once(request)

    def _once(self, request: WebRequest) -> WebAnswer:
        method, url, body = request.method, request.url, request.body
        headers = {name: value.encode().decode("latin-1") for name, value in request.headers.items()}
        for _ in range(MOST_REDIRECTS + 1):
            response = self._send(method, url, headers, body, request.seconds)
            try:
                target = response.headers.get("Location")
                if response.status not in _REDIRECTS or target is None:
                    return WebAnswer(response.status, _content(response, url))
            finally:
                # What was not read to its end is in nobody's way.
                response.close()
            after = urljoin(url, target)
            if urlsplit(after).scheme not in ("http", "https"):
                raise WebFailed(f"{_host(url)} sends us to an address that is no web service")
            if (urlsplit(after).scheme, urlsplit(after).netloc) != (urlsplit(url).scheme, urlsplit(url).netloc):
                headers = {name: value for name, value in headers.items() if name.lower() not in _PRIVATE_HEADERS}
            if response.status == 303 or (response.status in (301, 302) and method == "POST"):
                method, body = "GET", None
            url = after
        raise WebFailed(f"{_host(request.url)} sends us round more than {MOST_REDIRECTS} times")

    def _send(
        self, method: str, url: str, headers: dict[str, str], body: object, seconds: float
    ) -> urllib3.BaseHTTPResponse:
        content: dict[str, Any] = {} if body is None else {"json": body}
        try:
            return self._pools.request(
                method,
                url,
                headers={"Accept": "application/json", "User-Agent": "Pointsman"} | headers,
                redirect=False,
                preload_content=False,
                timeout=Timeout(connect=seconds, read=seconds),
                **content,
            )
        except NewConnectionError as error:
            raise NotReached(f"{_host(url)} was not reached") from error
        except (HTTPError, MaxRetryError, OSError, ValueError) as error:
            raise WebFailed(f"{_host(url)}: {' '.join(str(error).split())[:200]}") from error


class _NoJson(WebFailed):
    """Asked again it would say the same."""


def _connected(asked: HTTPConnection, guard: _Guard) -> socket.socket:
    """A socket to one of the host's allowed addresses; the name itself is not resolved again."""
    host = asked._dns_host  # urllib3's own name, without the dot that may end it
    fault: OSError | None = None
    for address in guard.addresses(host.strip("[]"), asked.port):
        try:
            return connection.create_connection(
                (address, asked.port),
                asked.timeout,
                source_address=asked.source_address,
                socket_options=asked.socket_options,
            )
        except OSError as error:
            fault = error
    raise NewConnectionError(asked, f"no connection: {fault}")


def _content(response: urllib3.BaseHTTPResponse, url: str) -> Any:
    """The JSON of an answer; None where it says it is something else or is empty."""
    try:
        data = response.read(MOST_BYTES + 1)
    except (HTTPError, OSError) as error:
        raise WebFailed(f"the answer of {_host(url)} was cut off") from error
    if len(data) > MOST_BYTES:
        raise _NoJson(f"the answer of {_host(url)} is longer than {MOST_BYTES} bytes")
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not data.strip() or not (kind == "application/json" or kind.endswith("+json")):
        return None
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        if 200 <= response.status < 300:
            raise _NoJson(f"the answer of {_host(url)} is no JSON") from error
        return None


def _host(url: str) -> str:
    """The part of a url that may be logged; the rest may hold what a caller keyed in."""
    return urlsplit(url).hostname or "the service"
