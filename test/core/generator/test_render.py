import numpy as np
import pytest
from numpy.typing import NDArray

from actseg_core.generator.background import Backdrop
from actseg_core.generator.canvas import Canvas, Sprite
from actseg_core.generator.render import Layer, make_layer, paint
from actseg_core.generator.scene import Scene, camera_track, still_camera, world_bounds
from actseg_core.generator.skeleton import Track, affine

HEIGHT, WIDTH = 40, 60


def square(alpha: int = 255) -> Sprite:
    """10x10 px of red, joint in its middle."""
    image = np.zeros((10, 10, 4), np.uint8)
    image[..., 0], image[..., 3] = 200 * alpha // 255, alpha
    return Sprite(image, (4.5, 4.5), 1.0)


def scene(camera: Track) -> Scene:
    x0, y0, x1, y1 = world_bounds(camera, HEIGHT, WIDTH)
    shape = (int(np.ceil(y1 - y0)) + 1, int(np.ceil(x1 - x0)) + 1, 3)
    gray = np.full(shape, 100, np.uint8)
    return Scene((), Backdrop(gray, np.floor(x0), np.floor(y0), "carpet"), camera, ())


def shown_at(xs: list[float], y: float) -> Track:
    one, zero = np.ones(len(xs)), np.zeros(len(xs))
    return affine(one, zero, zero, one, np.array(xs) - 5, zero + y - 5)


def layer(track: Track, instance: int, sprite: Sprite | None = None, solid: bool = True) -> Layer:
    return make_layer(sprite or square(), track, instance, solid, HEIGHT, WIDTH)


def test_pixels_ids_and_flow_follow_a_moving_square() -> None:
    track = shown_at([20, 25, 32], 15)

    frames, ids, flow = paint(scene(still_camera(3)), [layer(track, 2)], HEIGHT, WIDTH)

    assert frames[0, 15, 20].tolist() == [200, 0, 0]
    assert frames[0, 15, 40].tolist() == [100, 100, 100]
    assert (ids == 2).sum(axis=(1, 2)).tolist() == [100, 100, 100]
    assert ids[2, 15, 32] == 2
    np.testing.assert_allclose(flow[0, ids[0] == 2], [[5, 0]] * 100, atol=1e-4)
    np.testing.assert_allclose(flow[1, ids[1] == 2], [[7, 0]] * 100, atol=1e-4)
    assert np.abs(flow[:, 0, 0]).max() == 0


def test_the_nearer_hides_the_farther_and_a_shadow_hides_nobody() -> None:
    far, near = layer(shown_at([20], 20), 1), layer(shown_at([25], 20), 2)
    shadow = layer(shown_at([20], 20), 0, square(alpha=90), solid=False)

    ids = paint(scene(still_camera(1)), [far, near, shadow], HEIGHT, WIDTH)[1]

    assert (ids == 1).sum() == 50
    assert (ids == 2).sum() == 100


def test_a_thing_in_front_belongs_to_nobody() -> None:
    actor, post = layer(shown_at([20], 20), 1), layer(shown_at([20], 20), 0)

    ids = paint(scene(still_camera(1)), [actor, post], HEIGHT, WIDTH)[1]

    assert not ids.any()


def test_flow_of_a_zooming_camera_grows_from_the_centre() -> None:
    zoom = np.array([1.0, 1.1])
    zero = np.zeros(2)
    camera = affine(zoom, zero, zero, zoom, 30 - 30 * zoom, 20 - 20 * zoom)

    flow = paint(scene(camera), [], HEIGHT, WIDTH)[2]

    np.testing.assert_allclose(flow[0, 20, 30], [0, 0], atol=1e-5)
    np.testing.assert_allclose(flow[0, 10, 50], [2, -1], atol=1e-5)


def test_a_square_outside_the_frame_is_not_painted() -> None:
    _, ids, _ = paint(scene(still_camera(1)), [layer(shown_at([-30], 20), 1)], HEIGHT, WIDTH)

    assert not ids.any()


@pytest.mark.parametrize("seed", range(20))
def test_the_backdrop_covers_all_that_the_camera_sees(seed: int) -> None:
    rng = np.random.default_rng(seed)
    camera = camera_track(30, HEIGHT, WIDTH, rng)
    x0, y0, x1, y1 = world_bounds(camera, HEIGHT, WIDTH)

    corners: NDArray[np.float64] = np.array([(0, 0, 1), (60, 0, 1), (0, 40, 1), (60, 40, 1)])
    seen = np.linalg.inv(camera) @ corners.T

    assert seen[:, 0].min() >= x0
    assert seen[:, 0].max() <= x1
    assert seen[:, 1].min() >= y0
    assert seen[:, 1].max() <= y1


def test_a_drawn_ellipse_has_its_area_and_its_joint() -> None:
    canvas = Canvas((-1.0, -0.5, 1.0, 0.5), 50.0, np.random.default_rng(0))

    sprite = canvas.ellipse((0.0, 0.0), (1.0, 0.5), (255, 255, 255)).finish(0.0)

    area = (sprite.image[..., 3] / 255).sum()
    assert area == pytest.approx(np.pi * 50 * 25, rel=0.04)
    y, x = np.nonzero(sprite.image[..., 3] > 127)
    assert (x.mean(), y.mean()) == pytest.approx(sprite.origin, abs=0.6)
    assert (sprite.image[..., :3].max(axis=2) <= sprite.image[..., 3]).all(), "multiplied by alpha"
