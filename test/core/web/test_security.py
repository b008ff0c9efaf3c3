"""Hosts, origins, tokens, and how often."""

import pytest

from actseg_core.errors import ConfigError
from actseg_core.web.config import WebConfig
from actseg_core.web.security import (
    RateLimit,
    is_loopback,
    is_token,
    refused_host,
    refused_origin,
)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST.", "::1", "[::1]"]
)
def test_names_of_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.9", "localhost.evil.example", "127.0.0.1.evil.example", ""]
)
def test_names_that_others_may_reach_or_own(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["localhost:8060", "127.0.0.1", "[::1]:1", "localhost:99999"])
def test_a_local_server_answers_under_this_machines_names(host: str) -> None:
    assert refused_host(host, True) == ""


@pytest.mark.parametrize(
    "host", ["evil.example:8060", "10.0.0.9", "", "[", "localhost@evil.example"]
)
def test_a_local_server_answers_under_no_other_name(host: str) -> None:
    assert refused_host(host, True)


def test_a_server_for_the_network_answers_under_any_name() -> None:
    assert refused_host("robot.example:8060", False) == ""


def test_an_origin_is_the_page_itself_with_its_port() -> None:
    assert refused_origin("http://robot:8060", "robot:8060") == ""
    assert refused_origin("https://ROBOT:8060", "robot:8060") == ""
    for other in ("http://robot", "http://robot:80", "ws://robot:8060", "robot:8060", "", None):
        assert refused_origin(other, "robot:8060")


def test_a_token_is_compared_as_a_whole() -> None:
    assert is_token("secret-secret", "secret-secret")
    for other in ("", "secret", "secret-secret ", "secret-secre\udcff"):
        assert not is_token(other, "secret-secret")


def test_three_at_once_and_then_two_per_second() -> None:
    limit = RateLimit(3, 2.0)
    assert [limit.allows(100.0) for _ in range(4)] == [True, True, True, False]
    assert [limit.allows(100.5) for _ in range(2)] == [True, False]
    assert [limit.allows(200.0) for _ in range(4)] == [True, True, True, False]


def test_a_clock_that_stands_still_earns_nothing() -> None:
    limit = RateLimit(1, 1000.0)
    assert limit.allows(5.0) and not limit.allows(5.0)


@pytest.mark.parametrize("token", ["short", "not-ascii-\u00e9\u00e9\u00e9"])
def test_a_token_that_can_be_guessed_or_not_typed_is_refused(token: str) -> None:
    with pytest.raises(ConfigError, match="8 ASCII characters"):
        WebConfig.from_mapping({"token": token})
