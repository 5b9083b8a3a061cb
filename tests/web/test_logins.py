"""Wrong passwords: which ones are too many, and which ones are logged."""

import pytest

from tpmirror.web.logins import CLIENTS, LINES, OVERALL, PER_CLIENT, SECONDS, FailedLogins, client_of


def failed() -> tuple[FailedLogins, list[float]]:
    now = [1000.0]
    return FailedLogins(lambda: now[0]), now


def test_one_client_is_told_to_wait_until_its_minute_is_over_and_others_are_not():
    logins, now = failed()
    found = [logins.add("192.0.2.1") for _ in range(PER_CLIENT + 1)]
    assert [failure.retry_after for failure in found] == [None] * PER_CLIENT + [SECONDS]
    assert logins.add("192.0.2.2").retry_after is None
    now[0] += SECONDS - 1
    assert logins.add("192.0.2.1").retry_after == 1
    now[0] += 1
    assert logins.add("192.0.2.1").retry_after is None


def test_all_clients_together_are_limited_too():
    logins, _ = failed()
    found = [logins.add(f"192.0.2.{n}") for n in range(OVERALL + 1)]
    assert [failure.retry_after is None for failure in found] == [True] * OVERALL + [False]


def test_the_log_names_a_client_at_every_power_of_ten_and_has_few_lines_a_minute():
    logins, now = failed()
    found = [logins.add("192.0.2.1") for _ in range(3000)]
    assert [failure.of_client for failure in found if failure.is_logged] == [1, 10, 100, 1000]
    many = [logins.add(f"198.51.{n // 250}.{n % 250}") for n in range(3 * CLIENTS)]
    assert sum(failure.is_logged for failure in [*found, *many]) == LINES
    assert many[-1].client == "others"
    assert many[-1].overall == 3000 + 3 * CLIENTS
    now[0] += SECONDS
    assert logins.add("192.0.2.1").is_logged


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"), ("fe80::1%eth0", "fe80::/64"),
        ("a\nname", "unknown"), ("", "unknown"),
    ],
)  # fmt: skip
def test_a_client_is_an_address_or_an_ipv6_network(address, client):
    assert client_of(address) == client
