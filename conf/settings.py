"""The settings of an installation, typed, from the environment and one file.

Order, first wins: environment (`POINTSMAN_…`), `pointsman.toml` in the home folder, defaults. CONTRACT for outsiders: the
names and defaults here change only by addition.
"""

from __future__ import annotations

import os
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from conf.errors import SettingsInvalid


class Address(str):
    """`HOST:PORT`, the last colon splits. `host` and `port` are its parts."""

    __slots__ = ()

    @property
    def host(self) -> str:
        return self.rpartition(":")[0]

    @property
    def port(self) -> int:
        return int(self.rpartition(":")[2])


def _address(value: Any) -> Address:
    text = str(value).strip()
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} is not HOST:PORT, for example 127.0.0.1:8080")
    return Address(text)


def _address_if_any(value: Any) -> Address | None:
    return None if value in (None, "") else _address(value)


def _split(text: str) -> list[str]:
    return [part for part in text.replace(",", " ").split() if part]


def _addresses(value: Any) -> tuple[str, ...]:
    return tuple(part for part in str(value).replace(" ", "").split(",") if part) if isinstance(value, str) else value


AddressField = Annotated[Address, BeforeValidator(_address)]


def system_zone() -> str:
    """The machine's own time zone by its IANA name, UTC where it cannot be told."""
    named = os.environ.get("TZ", "").removeprefix(":")
    link = Path("/etc/localtime")
    if not named and link.is_symlink():
        named = str(link.resolve()).rpartition("zoneinfo/")[2]
    try:
        return ZoneInfo(named).key or "UTC"
    except (ValueError, OSError, KeyError):
        return "UTC"


class Settings(BaseSettings):
    """One installation's settings. Immutable; `load` is the way to get one."""

    model_config = SettingsConfigDict(
        env_prefix="POINTSMAN_", frozen=True, extra="ignore", arbitrary_types_allowed=True
    )

    home: Path = Path("var")
    database_url: str | None = None
    redis_url: str | None = None
    http: AddressField = Address("127.0.0.1:8080")
    esl: AddressField = Address("127.0.0.1:8084")
    control: AddressField = Address("127.0.0.1:8021")
    switches: Annotated[tuple[AddressField, ...], NoDecode, BeforeValidator(_addresses)] = ()
    """Event sockets of further FreeSWITCH nodes that hand calls to the same engines, `HOST:PORT,HOST:PORT`."""
    freeswitch: str = "auto"
    freeswitch_password: SecretStr | None = None
    sip: AddressField = Address("127.0.0.1:5060")
    trunks: str = "127.0.0.0/8"
    """Networks whose calls FreeSWITCH takes without a password, with commas between: a carrier's, and this machine's own."""
    trunk: str = Field(default="", max_length=300)
    """How flows reach numbers outside: a FreeSWITCH dial string with `{number}` where the number stands, such as
    `sofia/gateway/carrier/{number}`; empty for no way out."""
    trunk_number: str = Field(default="", pattern=r"^(\+[0-9]{5,15})?$")
    """The number shown there, in E.164; the caller's own where it is empty."""
    outside_prefixes: str = ""
    """What numbers that flows call must begin with, in E.164, with commas between, such as `+45,+46`. Without any, none may be
    called."""
    web_networks: str = ""
    """Networks within the house that the web requests of flows may go to, with commas between; public addresses always may."""
    smtp_server: Annotated[Address | None, BeforeValidator(_address_if_any)] = None
    """Where e-mails are handed in, `HOST:PORT`; none are sent without."""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: SecretStr | None = None
    smtp_from: str = Field(default="", pattern=r"^([^\r\n@]*<?[^\s@<>]+@[^\s@<>]+>?)?$")
    """Whom e-mails are from: an address, or a name with an address in angle brackets."""
    engines: int = Field(default=2, ge=1, le=64)
    admin_password: SecretStr | None = None
    timezone: str = Field(default_factory=system_zone)
    country: str = Field(default="DK", pattern="^[A-Z]{2}$")
    clock: str | None = None
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().absolute()

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError) as error:
            raise ValueError(f"{name!r} is no time zone; use an IANA name such as Europe/Copenhagen") from error
        return name

    @field_validator("trunk")
    @classmethod
    def _dial_string(cls, text: str) -> str:
        if text and (text.count("{number}") != 1 or any(sign in text for sign in "\r\n$`")):
            raise ValueError(f"{text!r} is no dial string such as sofia/gateway/carrier/{{number}}")
        return text

    @field_validator("outside_prefixes")
    @classmethod
    def _prefixes(cls, text: str) -> str:
        for prefix in _split(text):
            if not re.fullmatch(r"\+[0-9]{0,14}", prefix):
                raise ValueError(f"{prefix!r} is no prefix such as +45")
        return text

    @field_validator("trunks", "web_networks")
    @classmethod
    def _networks(cls, text: str) -> str:
        for network in _split(text):
            try:
                ip_network(network)
            except ValueError as error:
                raise ValueError(f"{network!r} is no network such as 192.0.2.0/24 or 192.0.2.7/32") from error
        return text

    @property
    def trunk_networks(self) -> tuple[str, ...]:
        return tuple(_split(self.trunks))

    @property
    def outside_allowed(self) -> tuple[str, ...]:
        return tuple(_split(self.outside_prefixes))

    @property
    def web_allowed(self) -> tuple[str, ...]:
        return tuple(_split(self.web_networks))

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # handed by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        home = Path(os.environ.get("POINTSMAN_HOME", "var")).expanduser()
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, home / "pointsman.toml")


def load(**overrides: Any) -> Settings:
    """The settings now in force; `overrides` win over everything. SettingsInvalid names each fault and its setting."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        faults = "; ".join(
            f"POINTSMAN_{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors()
        )
        raise SettingsInvalid(faults) from error
    except (OSError, ValueError) as error:
        raise SettingsInvalid(f"pointsman.toml cannot be read: {error}") from error
