"""Settings: frozen, read once from the environment and the command line. ``load`` reads no file but those of secrets.

A setting is declared in one place, a field of ``Settings`` with its meaning and its parser: its variable and its
command line option derive from the field, and docs/settings.md has a row for it.
"""

import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, dataclass, field, fields
from datetime import timedelta
from decimal import Decimal
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from tpmirror.credentials import FILE_LIMIT, Secret, check_key, read_text
from tpmirror.errors import UsageError

_DOUBTFUL: Final = re.compile(r"[?@#]|:(?!//|\d{1,5}\b|$)")
"""Characters that may delimit a secret in a URL, among them a colon without a port, as in ``user:password``."""
_HOST: Final = re.compile(r"(?:(?!xn--)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.|\Z))+")
_SCHEMA: Final = re.compile(r"(?!(?:pg_|information_schema\Z))[A-Za-z_][A-Za-z0-9_]{0,62}")
"""A schema's name, case-sensitive: PostgreSQL truncates longer ones and reserves those that begin with pg_."""
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PREFIX: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+)+/?")
"""Segments of unreserved characters (RFC 3986), which proxies pass on unencoded, none of them ``.`` or ``..``."""


def _number(low: float, high: float, *, whole: bool) -> Callable[[str], Any]:
    accepts = f"a {'whole ' if whole else ''}number from {low:g} to {high:g}"

    def parse(value: str) -> Any:
        try:
            number = int(value) if whole else float(value)
        except ValueError:
            number = math.nan
        if not low <= number <= high:  # NaN is in no range
            raise ValueError(accepts)
        return number

    return parse


_UNITS: Final = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
"""Seconds in a unit, the longest first."""


class Duration(timedelta):
    """A length of time as a setting states it."""

    def __str__(self) -> str:
        """As it may be written in the setting."""
        seconds = self.total_seconds()
        unit = next((unit for unit, length in _UNITS.items() if seconds % length == 0), "s")
        return f"{seconds / _UNITS[unit]:.12g}{unit}"


def _duration(low: str, high: str, bare: str | None = None) -> Callable[[str], Duration]:
    """A number and its unit; one without is in the unit ``bare``, or refused."""
    without = f"; without a unit it is in {bare}" if bare else ""
    accepts = f"a number with s, m, h or d, from {low} to {high}{without}"

    def parse(value: str) -> Duration:
        found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?) ?([smhd]?)", value.strip(), re.ASCII)
        unit = found and (found[2] or bare)
        if found is None or not unit:
            raise ValueError(accepts)
        return Duration(seconds=float(found[1]) * _UNITS[unit])

    def checked(value: str) -> Duration:
        duration = parse(value)
        if not parse(low) <= duration <= parse(high):
            raise ValueError(accepts)
        return duration

    return checked


def _interval(high: str) -> Callable[[str], float]:
    """A length of time from 1 s to ``high``, as seconds."""
    duration = _duration("1s", high, bare="s")
    return lambda value: duration(value).total_seconds()


def _choice(*values: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.lower() not in values:
            raise ValueError("one of " + ", ".join(values))
        return value.lower()

    return parse


def _origin(value: str) -> str:
    """Scheme, host and port; the key is only ever sent there."""
    accepts = (
        "an origin such as https://backend.tensorpix.ai, https only except on loopback, no internationalized host, "
        "without user, path or query"
    )
    try:
        parts = urlsplit(value)
        port, host = parts.port, parts.hostname or ""
        is_address = ":" in host or host.rpartition(".")[2].isdigit()
        known = ip_address(host) if is_address else _HOST.fullmatch(host)
    except ValueError:
        raise ValueError(accepts) from None
    insecure = parts.scheme == "http" and host not in _LOOPBACK
    if parts.scheme not in {"http", "https"} or not known or insecure or "@" in parts.netloc:
        raise ValueError(accepts)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(accepts)
    shown = f"[{host}]" if ":" in host else host
    usual = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{shown}" + (f":{port}" if port not in {None, usual} else "")


def _vanish_limit(value: str) -> "VanishLimit":
    jobs, share = r"(?P<jobs>\d{1,9})", r"(?P<share>\d{1,2}(?:\.\d+)?|100)\s*%"
    for form in (jobs, share, rf"max\(\s*{jobs}\s*,\s*{share}\s*\)"):
        found = re.fullmatch(form, value.strip(), re.ASCII)
        if found is not None:
            parts = {"jobs": "0", "share": "0", **found.groupdict()}
            return VanishLimit(int(parts["jobs"]), Decimal(parts["share"]))
    raise ValueError("a number of jobs such as 5, a share such as 2 %, or max(5, 2 %)")


@dataclass(frozen=True, slots=True)
class VanishLimit:
    """The most jobs marked gone within 24 h without an operator: a number or a share of the listed jobs, the larger."""

    jobs: int = 5
    percent: Decimal = Decimal(2)

    def of(self, listed: int) -> int:
        """The limit for a mirror with so many listed jobs."""
        return max(self.jobs, int(self.percent * listed / 100))

    def __str__(self) -> str:
        """As it may be written in the setting."""
        return f"max({self.jobs}, {self.percent:f} %)"


@dataclass(frozen=True, slots=True)
class CreditPrice:
    """What a Credit costs: an amount of six decimals, and the code of its currency (ISO 4217)."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        """As it may be written in the setting: at least two decimals."""
        whole, _, decimals = f"{self.amount:f}".partition(".")
        return f"{whole}.{decimals.rstrip('0'):0<2} {self.currency}"


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine can reach ``host``."""
    return host in _LOOPBACK


def _address(value: str) -> tuple[str, int]:
    host, colon, port = value.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError("host:port, for example 127.0.0.1:8377")
    return host.strip("[]"), int(port)


def _hosts(value: str) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in value.split(",") if name.strip())
    if not all(re.fullmatch(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", name) for name in names):
        raise ValueError("host names without port, separated by commas, for example mirror.example.com")
    return names


def schema_name(value: str) -> str:
    """The name of a PostgreSQL schema for a mirror. Raises ValueError, which says what is accepted."""
    if _SCHEMA.fullmatch(value) is None:
        raise ValueError("a schema of at most 63 letters, digits and _ that does not begin with a digit or pg_")
    return value


def _prefix(value: str) -> str:
    if _PREFIX.fullmatch(value) is None:
        raise ValueError("a path such as /tpmirror: letters, digits and . _ ~ - between slashes, no query")
    return value.rstrip("/")


def destination(value: str) -> str:
    """A DEST of ``tpmirror export``: one that may hold a secret is refused, because a destination is shown.

    Raises ValueError, which says what is accepted.
    """
    is_url = "://" in value
    if is_url and (re.match(r"(?:s3|gs|az)://[^/]|file:///", value) is None or re.search(r"[?@#]", value)):
        kinds = "s3://BUCKET/PREFIX, gs://, az://, file:///PATH or iceberg:NAMESPACE@CATALOG"
        raise ValueError(f"a folder, {kinds}, without user and query")
    return value


def _switch(value: str) -> bool:
    return _choice("yes", "no")(value) == "yes"


def _credits(value: str) -> Decimal:
    if re.fullmatch(r"\d{1,9}(\.\d{1,4})?", value.strip(), re.ASCII) is None:
        raise ValueError("a number of Credits such as 250 or 99.5")
    return Decimal(value.strip())


def _credit_price(value: str) -> CreditPrice:
    # Not the code for "no currency", which marks amounts in Credits in focus_costs.
    found = re.fullmatch(r"(\d{1,4}(?:\.\d{1,6})?) (?!XXX)([A-Z]{3})", value.strip(), re.ASCII)
    if found is None or not Decimal(found[1]):
        raise ValueError("a price above 0 and below 10000, of at most 6 decimals, and a currency, such as 0.10 EUR")
    return CreditPrice(Decimal(found[1]).quantize(Decimal("0.000001")), found[2])


def _secrets(value: str) -> tuple[Secret, ...]:
    """Several secrets, separated by blanks or line ends."""
    return tuple(map(Secret, value.split())) or None  # type: ignore[return-value] # blank: unset


def _sinks(value: str) -> dict[str, Secret]:
    """The URL of each sink by its name. The URLs themselves are checked where they are used."""
    accepts = "NAME=URL, several separated by blanks: a name of 1 to 40 letters, digits, _ or -, each once"
    entries = [entry.partition("=") for entry in value.split()]
    if not all(re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name) and url for name, _, url in entries):
        raise ValueError(accepts)
    if len({name for name, *_ in entries}) < len(entries):
        raise ValueError(accepts)
    return {name: Secret(url) for name, _, url in entries} or None  # type: ignore[return-value] # blank: unset


def _networks(value: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part) for part in value.replace(",", " ").split())
    except ValueError:
        raise ValueError("addresses or networks, separated by blanks, for example 10.1.2.3 192.168.0.0/16") from None


@dataclass(frozen=True, slots=True)
class Database:
    """How the mirror's database is reached: its URL, the schema in it, and the file with the password."""

    url: str = field(repr=False)
    schema: str | None = None
    password_file: Path | None = None


def _setting(default: Any, meaning: str, parse: Callable[[str], Any] = str, *, shown: bool = True) -> Any:
    """A field of ``Settings``; ``shown=False`` keeps a value that may hold a password out of the repr."""
    return field(default=default, repr=shown, metadata={"meaning": meaning, "parse": parse})


def variable_of(setting: Field[Any]) -> str:
    """The environment variable of a field of ``Settings``."""
    return f"TPMIRROR_{setting.name.upper()}"


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, each with its default."""

    api_key: Secret | None = _setting(None, "the account's API key (TENSORPIX_API_KEY works too)", Secret)
    api_key_file: Path | None = _setting(None, "file that holds the API key, instead of TPMIRROR_API_KEY", Path)
    api_url: str = _setting("https://backend.tensorpix.ai", "origin of the API", _origin)
    ca_file: Path | None = _setting(None, "PEM file with certificates to trust for the API, besides the system's", Path)
    database_url: str = _setting(
        "sqlite:///tpmirror.db", "SQLAlchemy URL of the mirror, SQLite or PostgreSQL", shown=False
    )
    database_schema: str | None = _setting(
        None, "PostgreSQL schema that holds the mirror; unset: the role's search path", schema_name
    )
    database_password_file: Path | None = _setting(
        None, "file that holds the database password, for a URL without one", Path
    )
    page_size: int = _setting(100, "jobs asked for per page", _number(1, 10_000, whole=True))
    concurrency: int = _setting(4, "pages in flight at once", _number(1, 16, whole=True))
    max_rps: float = _setting(10.0, "requests per second at most; 0 = unlimited", _number(0, 10_000, whole=False))
    request_timeout: float = _setting(30.0, "seconds for one whole request", _number(0.05, 3600, whole=False))
    max_attempts: int = _setting(6, "tries per request", _number(1, 100, whole=True))
    retry_base: float = _setting(1.0, "seconds of the first backoff", _number(0, 60, whole=False))
    sync_interval: float = _setting(900.0, "time between full syncs of the service", _interval("7d"))
    poll_interval: float = _setting(30.0, "time between polls of jobs in flight", _interval("1d"))
    vanish_limit: VanishLimit = _setting(
        VanishLimit(), "most jobs marked gone within 24 h without an operator", _vanish_limit
    )
    http_addr: tuple[str, int] = _setting(("127.0.0.1", 8377), "where the dashboard listens", _address)
    http_token: Secret | None = _setting(None, "what a browser has to give as password to see the dashboard", Secret)
    http_token_file: Path | None = _setting(None, "file that holds TPMIRROR_HTTP_TOKEN, instead of it", Path)
    http_open: bool = _setting(False, "yes: serve other machines without a token too", _switch)
    http_hosts: tuple[str, ...] | None = _setting(
        None, "names, besides localhost, by which the dashboard may be called", _hosts
    )
    http_prefix: str | None = _setting(
        None, "path below which the dashboard is reached through a proxy, such as /tpmirror", _prefix
    )
    alert_urls: tuple[Secret, ...] | None = _setting(
        None, "where alerts go, as apprise URLs; they hold secrets", _secrets
    )
    alert_urls_file: Path | None = _setting(None, "file that holds TPMIRROR_ALERT_URLS, instead of it", Path)
    webhook_urls: dict[str, Secret] | None = _setting(
        None, "sinks that events are sent to, NAME=URL; they may hold secrets", _sinks
    )
    webhook_urls_file: Path | None = _setting(None, "file that holds TPMIRROR_WEBHOOK_URLS, instead of it", Path)
    webhook_secret_file: Path | None = _setting(
        None, "file with the signing secrets of the sinks: lines of NAME whsec_...", Path
    )
    webhook_allow: tuple[IPv4Network | IPv6Network, ...] | None = _setting(
        None, "private addresses and networks that sinks may be at", _networks
    )
    budget_daily: Decimal | None = _setting(None, "Credits a day (UTC) above which there is an alert", _credits)
    budget_monthly: Decimal | None = _setting(None, "Credits a month (UTC) above which there is an alert", _credits)
    log_format: str | None = _setting(None, "console or json; by tty if unset", _choice("console", "json"))
    log_level: str = _setting("info", "debug, info, warning or error", _choice("debug", "info", "warning", "error"))
    run_retention: Duration = _setting(
        Duration(days=90), "how long polls that found nothing are kept", _duration("1h", "36500d")
    )
    progress_retention: Duration = _setting(
        Duration(days=90), "how long progress samples are kept", _duration("1h", "36500d", bare="d")
    )
    export_url: str | None = _setting(
        None, "where the service keeps an export fresh, a DEST of tpmirror export", destination
    )
    export_interval: float = _setting(3600.0, "time between exports of the service", _interval("7d"))
    export_personal: bool = _setting(False, "yes: the service exports personal data too", _switch)
    owners: str = _setting("keep", "keep owners' e-mail addresses, or store a keyed hash", _choice("keep", "hash"))
    owners_key_file: Path | None = _setting(None, "file that holds the key of TPMIRROR_OWNERS=hash", Path)
    credit_price: CreditPrice | None = _setting(
        None, "price of a Credit, such as 0.10 EUR: amounts are shown beside Credits", _credit_price
    )

    @property
    def database(self) -> Database:
        """The settings of the database, together."""
        return Database(self.database_url, self.database_schema, self.database_password_file)


_TWINS: Final = ("api_key", "http_token", "alert_urls", "webhook_urls")
"""Settings that hold a secret: for each, a setting with the suffix ``_file`` names a file that holds it instead."""
_GROUPS: Final = tuple(
    {f"TPMIRROR_{name.upper()}", f"TPMIRROR_{name.upper()}_FILE", *(["TENSORPIX_API_KEY"] if name == "api_key" else [])}
    for name in _TWINS
)
"""The variables that give one secret: a source that sets one of them replaces all of a lower source."""


def load(environ: Mapping[str, str] | None = None, options: Mapping[str, str | None] | None = None) -> Settings:
    """Settings from the environment, overridden by the command line's options (by field name).

    An empty variable counts as unset: Compose and Kubernetes pass unset ones as empty. Reads the files of the token and
    of the URLs of alerts and webhooks; ``read_key`` reads the key's, afresh at each call. Raises UsageError, which
    names the variable, its value (not for secrets) and the values it accepts.
    """
    variables = os.environ if environ is None else environ
    named = {f"TPMIRROR_{name.upper()}": value for name, value in (options or {}).items() if value}
    given = {**beside(named, variables), **named}
    if key := given.get("TENSORPIX_API_KEY"):
        given.setdefault("TPMIRROR_API_KEY", key)
    chosen = {
        setting.name: _parse(variable, setting.metadata["parse"], given[variable])
        for setting in fields(Settings)
        if (variable := variable_of(setting)) in given
    }
    _check(chosen)
    for name in _TWINS[1:]:
        if f"{name}_file" in chosen:
            chosen[name] = _read_secret(name, chosen[f"{name}_file"])
    if "http_token" in chosen and not 16 <= len(chosen["http_token"].reveal()) <= 512:
        raise UsageError("TPMIRROR_HTTP_TOKEN is too short or too long; 16 to 512 characters are expected")
    return Settings(**chosen)


def beside(higher: Mapping[str, str], lower: Mapping[str, str]) -> dict[str, str]:
    """The variables of a lower source that a higher one does not override, neither by themselves nor by a twin."""
    taken = {name for name, value in higher.items() if value}
    taken.update(*(group for group in _GROUPS if group & taken))
    return {name: value for name, value in lower.items() if value and name not in taken}


def unknown(variables: Iterable[str]) -> dict[str, str | None]:
    """Variables that begin with TPMIRROR_ and are no setting, each with the setting of the closest name, or None."""
    known = [variable_of(setting) for setting in fields(Settings)]
    strange = [name for name in sorted(variables) if name.startswith("TPMIRROR_") and name not in known]
    near = {name: get_close_matches(name, known, 1, 0.7) for name in strange if not name.startswith("TPMIRROR_TEST_")}
    return {name: found[0] if found else None for name, found in near.items()}


def _check(chosen: Mapping[str, Any]) -> None:
    """Raise UsageError for values that cannot be used together, and for a key that cannot be sent."""
    for name in _TWINS:
        if chosen.get(name) and chosen.get(f"{name}_file"):
            variable = f"TPMIRROR_{name.upper()}"
            raise UsageError(f"{variable} and {variable}_FILE are both set; keep one of them")
    if "api_key" in chosen:
        check_key(chosen["api_key"].reveal(), "TPMIRROR_API_KEY")
    if chosen.get("owners") == "hash" and "owners_key_file" not in chosen:
        raise UsageError(
            "TPMIRROR_OWNERS is 'hash'; set TPMIRROR_OWNERS_KEY_FILE to a file that holds the key of the hash, such as "
            "openssl rand -hex 32 makes"
        )


_WRAPPED: Final = (
    (re.compile(r"(?s).*[\x00-\x1f\x7f]"), "holds a control character or a line end; give the value without it"),
    (re.compile(r"(?s).*\ufeff"), "holds a byte order mark; give the value without it"),
    (re.compile(r"""(?s)(["']).*\1\Z"""), "is in quotes; give the value without them"),
)
"""Quotes, line ends and byte order marks, copied with a value from a file of another syntax; no value contains them."""


def _parse(variable: str, parse: Callable[[str], Any], value: str) -> Any:
    bare = " ".join(value.split()) if parse in {_secrets, _sinks} else value  # these may span several lines
    for pattern, reason in _WRAPPED:
        if pattern.match(bare):
            raise UsageError(f"{variable} {reason}, or read its file with tpmirror --env-file FILE")
    try:
        return parse(value)
    except ValueError as error:
        doubtful = _DOUBTFUL.search(value) if parse in {_origin, destination} else "@" in value or parse is _sinks
        shown = "a value that may hold a secret" if doubtful else repr(value[:80])
        raise UsageError(f"{variable} is {shown}; it accepts {error}") from None


def _read_secret(name: str, path: Path) -> Any:
    """The secret in the file of a ``_file`` setting, parsed as its twin. Raises UsageError, without the secret."""
    variable = f"TPMIRROR_{name.upper()}_FILE"
    (setting,) = (setting for setting in fields(Settings) if setting.name == name)
    value = read_text(variable, path).strip()
    if not value:
        raise UsageError(f"{variable} ({str(path)!r}) holds nothing; put the value of {variable_of(setting)} into it")
    return _parse(f"{variable} ({str(path)!r})", setting.metadata["parse"], value)


def read_key(settings: Settings) -> Secret:
    """The API key, from the variable or, afresh at each call, from the file.

    Raises UsageError with the remedy if there is no key, or an unusable one.
    """
    if settings.api_key is not None:
        return settings.api_key
    if settings.api_key_file is None:
        raise UsageError(
            "no API key: set TPMIRROR_API_KEY to the account's key, or TPMIRROR_API_KEY_FILE to a file that holds it "
            "(the key is in your TensorPix account's API settings); tpmirror demo needs none"
        )
    path = settings.api_key_file
    return check_key(read_text("TPMIRROR_API_KEY_FILE", path).strip(), f"TPMIRROR_API_KEY_FILE ({str(path)!r})")


def read_owners_key(settings: Settings) -> bytes | None:
    """The key of the owners' hash; None where addresses are kept. Raises UsageError for a file without a key."""
    if settings.owners == "keep" or settings.owners_key_file is None:
        return None
    key = read_text("TPMIRROR_OWNERS_KEY_FILE", settings.owners_key_file).strip().encode()
    if not 32 <= len(key) < FILE_LIMIT:
        raise UsageError(
            f"TPMIRROR_OWNERS_KEY_FILE ({str(settings.owners_key_file)!r}) holds no key: 32 characters or more are "
            "expected, such as openssl rand -hex 32 makes"
        )
    return key
