"""Whether an address is free, and whether what should stand there answers: what `up` and `doctor` ask."""

from __future__ import annotations

import errno
import json
import socket
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import redis

from conf.errors import PointsmanError
from conf.settings import Address


class AddressTaken(PointsmanError):
    """An address cannot be listened on; the message says why and what to do."""


class RedisUnreachable(PointsmanError):
    """Redis cannot be used with the URL that is set; the message names the fault and the mend."""


def check_free(address: Address, name: str) -> None:
    """AddressTaken where the address, set by `name`, cannot be listened on."""
    # As the parts themselves bind: a connection that is still closing is no hindrance, a listener is.
    try:
        family, _, _, _, place = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen(1)
    except PermissionError as error:
        raise AddressTaken(
            f"{address} ({name}) may not be used by this user; set {name} to a port above 1023"
        ) from error
    except socket.gaierror as error:
        raise AddressTaken(f"{name} is {address}, and {address.host!r} is no address of this machine") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise AddressTaken(
                f"{address} is in use by another program; end that one, or set {name} to another address"
            ) from error
        raise AddressTaken(f"{address} ({name}) cannot be used: {error.strerror}") from error


def check_redis(url: str) -> str:
    """The version of the Redis at `url`. RedisUnreachable where it cannot be used, also when it is older than 7."""
    place = urlsplit(url)
    try:
        client = redis.Redis.from_url(url, protocol=2, socket_timeout=3, socket_connect_timeout=3)
        try:
            version = str(client.info("server").get("redis_version", "0"))
        finally:
            client.close()
    except (redis.RedisError, ValueError) as error:
        raise RedisUnreachable(
            f"Redis at {place.hostname}:{place.port or 6379} cannot be used: {' '.join(str(error).split())}. "
            "Check POINTSMAN_REDIS_URL (redis://:PASSWORD@HOST:PORT/0), or unset it for the embedded one"
        ) from error
    if int(version.partition(".")[0]) < 7:
        raise RedisUnreachable(f"Redis at {place.hostname} is version {version}, and 7.0 or newer is needed")
    return version


def health(http: str) -> tuple[bool, str]:
    """Whether all parts answer, as the admin sees them; otherwise in words which do not."""
    try:
        with urllib.request.urlopen(f"{page(http)}/healthz", timeout=5) as answer:  # noqa: S310
            return answer.status == 200, "answered"
    except urllib.error.HTTPError as error:
        try:
            states = json.loads(error.read())
        except ValueError:
            return False, f"/healthz answers {error.code}"
        return False, "; ".join(_not_well(states)) or f"/healthz answers {error.code}"
    except OSError as error:
        return False, f"the admin does not answer on {http} ({error})"


def _not_well(states: object) -> list[str]:
    if not isinstance(states, dict):
        return []
    parts = states.get("parts") or states.get("checks") or states
    if not isinstance(parts, dict):
        return []
    return [f"{name}: {state}" for name, state in parts.items() if name != "status" and "ok" not in str(state)[:20]]


def page(address: str) -> str:
    """The URL of the admin that listens on `address`."""
    http = Address(address)
    host = "127.0.0.1" if http.host in ("0.0.0.0", "*", "") else http.host
    return f"http://{host}:{http.port}"
