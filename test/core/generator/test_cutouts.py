import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from damaged_files import changed_bytes, changed_json
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.errors import DatasetError
from actseg_core.generator import SceneConfig, render_clip
from actseg_core.generator.cutouts import CutoutFolder, colour_shares
from actseg_core.generator.figures.cutout import CutoutFigure
from actseg_core.generator.palette import COLOURS


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_person_is_cut_out_with_the_colours_of_shirt_and_trousers(photos: Path) -> None:
    cutout = CutoutFolder(photos, ()).cutout("adult", rng())

    assert cutout.image.shape == (162, 62, 4) or cutout.image.shape == (163, 63, 4)
    assert (cutout.image[..., 3] > 127).sum() == pytest.approx(61 * 161, rel=0.05)
    assert (cutout.look.colour, cutout.look.second) == ("red", "blue")
    assert set(cutout.look.also) == {"red", "blue"}
    assert cutout.look.kind == "photo"


def test_colours_are_shares_of_the_opaque_pixels() -> None:
    cut = np.zeros((2, 4, 4), np.uint8)
    cut[0, :3] = (200, 30, 35, 255)
    cut[1, 0] = (35, 70, 190, 255)

    shares = colour_shares(cut)

    assert (shares["red"], shares["blue"], shares["green"]) == (0.75, 0.25, 0.0)


def test_backgrounds_are_photographs_without_actors(photos: Path) -> None:
    picture = CutoutFolder(photos, ()).photo(100, 200, rng())

    assert picture.shape == (100, 200, 3)
    assert (picture == 90).all()


def test_images_of_other_licenses_are_left_alone(photos: Path) -> None:
    folder = CutoutFolder(photos, (1,))

    assert not folder.offers("adult")
    assert folder.has_photos
    assert CutoutFolder(photos, (4,)).offers("ball")


def test_clips_show_the_photographed_person_and_know_its_colours(photos: Path) -> None:
    config = SceneConfig(
        **{"frames": 4, "height": 96, "width": 96, "max_actors": 1, "pairs": (18,)},
        **{"cutouts": str(photos), "cutout_share": 1.0, "photo_share": 1.0, "degrade": False},
        **{"occlusion": 0.0, "camera": "still"},
    )
    clip = render_clip(0, config)

    pixels = clip.frames[clip.instances == 1].astype(int)
    red = (pixels[:, 0] > pixels[:, 2] + 60).mean()
    blue = (pixels[:, 2] > pixels[:, 0] + 60).mean()
    assert red > 0.4
    assert blue > 0.3
    assert clip.background == "photo"
    assert clip.actors[0].colours == ("red", "blue")
    assert not {"man", "woman"} & set(" ".join(clip.actors[0].sentences).split())


def test_an_actor_of_no_clear_colour_is_shown_and_said_without_one(photos: Path) -> None:
    motley = cv2.imread(str(photos / "images" / "person.png"))
    motley[20:180, 40:100] = np.random.default_rng(0).integers(0, 255, (160, 60, 3))
    cv2.imwrite(str(photos / "images" / "person.png"), motley)
    config = SceneConfig(
        **{"frames": 2, "height": 96, "width": 96, "max_actors": 1, "pairs": (19,)},
        **{"cutouts": str(photos), "cutout_share": 1.0},
    )

    actor = render_clip(5, config).actors[0]

    assert actor.colour == ""
    assert not set(COLOURS) & set(" ".join(actor.sentences).split())


def test_the_pieces_of_a_cutout_leave_no_seam(photos: Path) -> None:
    config = SceneConfig(
        **{"frames": 8, "height": 128, "width": 96, "max_actors": 1, "pairs": (18,)},
        **{"cutouts": str(photos), "cutout_share": 1.0, "degrade": False, "occlusion": 0.0},
        **{"camera": "still", "entering": 0.0},
    )
    clip = render_clip(1, config)

    for t, mask in enumerate(clip.masks(1)):
        rows = np.flatnonzero(mask.any(axis=1))
        assert (np.diff(rows) == 1).all(), f"frame {t} has a gap between body and legs"


def test_a_cutout_is_as_large_as_asked(photos: Path) -> None:
    figure = CutoutFigure(CutoutFolder(photos, ()).cutout("adult", rng()), 80.0)

    height = figure.parts[0].sprite.image.shape[0] / 0.52  # the part above the hips
    assert height / 1.1 == pytest.approx(80, rel=0.03)
    assert figure.tall == pytest.approx(1.0, rel=0.02)


def test_a_missing_index_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"instances\.json beside images/; reading .*failed"):
        CutoutFolder(tmp_path, ())


def test_an_index_of_another_format_is_named(tmp_path: Path) -> None:
    (tmp_path / "instances.json").write_text(json.dumps({"images": []}))

    with pytest.raises(
        DatasetError, match="not in COCO format: it has no annotations, categories"
    ):
        CutoutFolder(tmp_path, ())


def test_a_missing_picture_is_named(photos: Path) -> None:
    (photos / "images" / "person.png").unlink()

    with pytest.raises(
        DatasetError, match=r"person\.png is named in instances\.json but is missing"
    ):
        CutoutFolder(photos, ()).cutout("adult", rng())


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("segmentation", [[]], "a polygon must be x and y of at least 3 points"),
        ("segmentation", [[40, 20, 100, 20, 1e9, 180]], "coordinate 1000000000.0 is not within"),
        ("segmentation", [[40, 20, 100, 20, float("nan"), 180]], "coordinate nan is not within"),
        (
            "bbox",
            [float("nan"), 20, 60, 160],
            "the box of annotation 1 is nan px off",
        ),
        ("bbox", [140, 20, 60, 160], r"the box of annotation 1 is 100\.0 px off its outlines"),
        ("bbox", [40, 20, 60], "ValueError: not enough values"),
        ("area", "large", "TypeError"),
        ("category_id", 99, "KeyError: 99"),
    ],
)
def test_numbers_of_an_index_are_checked_before_anything_is_drawn(
    photos: Path, name: str, value: object, problem: str
) -> None:
    content = json.loads((photos / "instances.json").read_text())
    content["annotations"][0][name] = value
    (photos / "instances.json").write_text(json.dumps(content))
    with pytest.raises(DatasetError, match=r"instances\.json is not in COCO format.*" + problem):
        CutoutFolder(photos, ())


@pytest.mark.parametrize(
    ("name", "value"), [("file_name", "../person.png"), ("height", 0), ("width", 1e9)]
)
def test_facts_of_a_photograph_are_checked(photos: Path, name: str, value: object) -> None:
    content = json.loads((photos / "instances.json").read_text())
    content["images"][0][name] = value
    (photos / "instances.json").write_text(json.dumps(content))
    with pytest.raises(DatasetError, match="is no file below images/|side of an image must be"):
        CutoutFolder(photos, ())


def test_a_photograph_of_another_size_than_its_outlines_is_refused(photos: Path) -> None:
    cv2.imwrite(str(photos / "images" / "person.png"), np.zeros((100, 300, 3), np.uint8))
    with pytest.raises(DatasetError, match=r"person\.png is 300x100, instances\.json says"):
        CutoutFolder(photos, ()).cutout("adult", rng())


@given(data=st.data())
def test_an_index_changed_anywhere_is_read_or_refused(
    photos_to_change: Path, data: st.DataObject
) -> None:
    path = photos_to_change / "instances.json"
    good = path.read_bytes()
    try:
        path.write_bytes(
            data.draw(
                changed_json(json.loads(good)).map(lambda tree: json.dumps(tree).encode())
                | changed_bytes(good)
            )
        )
        folder = CutoutFolder(photos_to_change, ())
        for actor in ("adult", "ball"):
            if folder.offers(actor):
                assert folder.cutout(actor, rng()).image[..., 3].any()
        if folder.has_photos:
            folder.photo(20, 30, rng())
    except DatasetError:
        pass
    finally:
        path.write_bytes(good)
