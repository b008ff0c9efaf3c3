"""The image subscription follows the camera, and its silence is explained."""

from actseg_ros.images import LossWatch, TransportWatch


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


def watched(came: int, lost: int) -> LossWatch:
    """A watch that saw these within a second."""
    watch = LossWatch()
    for _ in range(came):
        watch.note(1, 0, 100.0)
    watch.note(0, lost, 101.0)
    return watch


def test_a_camera_of_which_a_third_arrives_is_told_with_what_to_do() -> None:
    hint = watched(came=48, lost=102).hint(101.0)  # 4.8 of 15 Hz for ten seconds
    assert hint.startswith(
        "102 of 150 images of the last seconds were lost on their way here: set"
    )
    assert "FASTDDS_BUILTIN_TRANSPORTS=LARGE_DATA" in hint


def test_a_tenth_lost_is_none_of_it_and_more_is() -> None:
    assert watched(came=90, lost=10).hint(101.0) == ""
    assert watched(came=89, lost=11).hint(101.0)


def test_of_a_few_images_a_share_means_nothing() -> None:
    assert watched(came=9, lost=10).hint(101.0) == ""
    assert watched(came=9, lost=11).hint(101.0)


def test_losses_are_forgotten_after_ten_seconds() -> None:
    watch = watched(came=48, lost=102)
    assert watch.hint(111.0)
    assert watch.hint(111.1) == ""
