"""The image subscription follows the camera, and its silence is explained."""

from actseg_ros.images import TransportWatch


def test_the_transport_is_suspected_two_seconds_after_the_match() -> None:
    watch = TransportWatch()
    assert not watch.is_silent(0, 0, 0.0)
    assert not watch.is_silent(1, 0, 5.0)
    assert not watch.is_silent(1, 0, 6.9)
    assert watch.is_silent(1, 0, 7.0)


def test_one_image_proves_the_transport() -> None:
    watch = TransportWatch()
    watch.is_silent(1, 0, 0.0)
    assert not watch.is_silent(1, 1, 9.0)


def test_a_camera_that_goes_away_starts_the_count_anew() -> None:
    watch = TransportWatch()
    watch.is_silent(1, 0, 0.0)
    watch.is_silent(0, 0, 1.0)
    assert not watch.is_silent(1, 0, 2.5)
