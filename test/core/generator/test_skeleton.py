import numpy as np

from actseg_core.generator.canvas import Sprite
from actseg_core.generator.skeleton import Part, Pose, affine, place, turn


def sprite() -> Sprite:
    """Drawn at 10 px per unit, joint at pixel (5, 5)."""
    return Sprite(np.zeros((10, 10, 4), np.uint8), (5.0, 5.0), 10.0)


def pose(**angles: float) -> Pose:
    return Pose(
        {name: np.array([angle]) for name, angle in angles.items()}, np.zeros(1), np.zeros(1)
    )


def at(track: np.ndarray, x: float, y: float) -> list[float]:
    return np.round(track[0] @ (x, y, 1.0), 6)[:2].tolist()


def test_a_turn_is_clockwise_on_screen() -> None:
    right_goes_down = turn(np.array([np.pi / 2]))

    assert at(right_goes_down, 1, 0) == [0, 1]


def test_a_child_hangs_on_its_parents_joint_and_turns_with_it() -> None:
    parts = (Part("arm", sprite()), Part("hand", sprite(), "arm", joint=(0.0, 2.0)))
    root = affine(*(np.array([v]) for v in (10.0, 0.0, 0.0, 10.0, 100.0, 50.0)))

    straight = place(parts, root, pose())
    bent = place(parts, root, pose(arm=np.pi / 2))

    assert at(straight[1], 5, 5) == [100, 70]  # two units of 10 px below the root
    assert at(bent[1], 5, 5) == [80, 50]  # the arm points left: down turned clockwise
    assert at(bent[1], 5, 15) == [70, 50]  # the hand goes on in the same direction


def test_stretch_and_shear_are_the_parts_own() -> None:
    parts = (Part("wing", sprite()),)
    root = affine(*(np.array([v]) for v in (10.0, 0.0, 0.0, 10.0, 0.0, 0.0)))
    still = np.zeros(1)

    stretched = place(
        parts, root, Pose({}, still, still, stretch={"wing": np.array([[1.0, -0.5]])})
    )
    sheared = place(parts, root, Pose({}, still, still, shear={"wing": np.array([0.5])}))

    assert at(stretched[0], 5, 15) == [0, -5]
    assert at(sheared[0], 5, 15) == [5, 10]
    assert at(sheared[0], 15, 5) == [10, 0]
