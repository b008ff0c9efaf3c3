"""`actseg segment`: files at the video's own times, and what is kept when it breaks off."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from numbered_videos import numbered

from actseg_core.cli import segment as verb
from actseg_core.cli.main import main
from actseg_core.video import probe, read_video

__all__ = ["numbered"]
FIRST = 7  # frames before the first answer of a window of eight that labels the newest


@pytest.fixture
def run(small_predictor, tmp_path, monkeypatch) -> Callable[..., int]:
    """Runs the verb with a small network; returns the exit code."""
    monkeypatch.setattr(verb.Predictor, "load", lambda *_: small_predictor)
    assert small_predictor.config.frames == FIRST + 1

    def call(video: Path | str, *arguments: str) -> int:
        output = ("--output", str(tmp_path / "out"))
        return main(["segment", str(video), "person in red", *arguments, *output])

    return call


def answers(tmp_path: Path) -> list[dict]:
    lines = (tmp_path / "out" / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def overlay_times(tmp_path: Path) -> list[float]:
    return [frame.time_s for frame in read_video(tmp_path / "out" / "overlay.mp4")]


def test_the_overlay_has_the_times_of_the_frames(run, tmp_path, numbered) -> None:
    """Five frames a second, then one each 0.04 s."""
    ticks = [5 * index for index in range(15)] + [75 + index for index in range(10)]
    assert run(numbered.write(tmp_path / "clip.mp4", 25, ticks=lambda index: ticks[index])) == 0
    wanted = [(tick - ticks[FIRST]) / 25 for tick in ticks[FIRST:]]
    assert overlay_times(tmp_path) == pytest.approx(wanted, abs=1e-4)
    told = [answer["time_s"] for answer in answers(tmp_path)]
    assert told == pytest.approx([tick / 25 for tick in ticks[FIRST:]], abs=1e-4)


def test_two_sentences_have_a_line_and_a_mask_per_frame(run, tmp_path, numbered) -> None:
    assert run(numbered.write(tmp_path / "clip.mp4", 10), "dog running", "--masks") == 0
    told = [(answer["frame"], answer["sentence"]) for answer in answers(tmp_path)]
    sentences = ("person in red", "dog running")
    assert told == [(frame, text) for frame in (7, 8, 9) for text in sentences]
    names = sorted(path.name for path in (tmp_path / "out").glob("*.png"))
    assert names == [f"mask_{text}_{frame:06d}.png" for text in (0, 1) for frame in (7, 8, 9)]


def test_brackets_and_marks_in_a_sentence_are_text(run, tmp_path, numbered, capsys) -> None:
    assert run(numbered.write(tmp_path / "[bold] 1:2.mp4", 9), "[/red] dog [/]") == 0
    assert "[/red] dog [/]" in capsys.readouterr().out


def damaged(tmp_path: Path, numbered) -> Path:
    """Bytes are changed in the middle; the frames until there are whole."""
    path = numbered.write(tmp_path / "clip.mp4", 60, key_every=10, noise=90, movflags="+faststart")
    content = bytearray(path.read_bytes())
    start = len(content) * 6 // 10
    content[start : start + 3000] = bytes(3000)
    path.write_bytes(content)
    return path


def test_what_was_answered_before_the_damage_is_kept(run, tmp_path, numbered, capsys) -> None:
    assert run(damaged(tmp_path, numbered), "--masks") == 2
    kept = len(answers(tmp_path))
    assert 10 < kept < 50
    assert [answer["frame"] for answer in answers(tmp_path)] == list(range(FIRST, FIRST + kept))
    assert len(overlay_times(tmp_path)) == kept
    assert len(list((tmp_path / "out").glob("mask_0_*.png"))) == kept
    shown = capsys.readouterr().err
    assert "is damaged or cut short" in shown
    assert f"the {kept} frames answered before are in {tmp_path / 'out'}" in shown


def test_what_was_answered_before_the_size_changes_is_kept(
    run, tmp_path, numbered, capsys
) -> None:
    first = numbered.write(tmp_path / "first.ts", 12).read_bytes()
    numbered.height = 48
    second = numbered.write(tmp_path / "second.ts", 12).read_bytes()
    (tmp_path / "clip.ts").write_bytes(first + second)
    assert run(tmp_path / "clip.ts") == 2
    assert [answer["frame"] for answer in answers(tmp_path)] == [7, 8, 9, 10, 11]
    assert len(overlay_times(tmp_path)) == 5
    shown = capsys.readouterr().err
    assert "frame 12 of" in shown and "is 64x48, the frames before are 64x32" in shown


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_after_the_frame_and_all_is_kept(
    run, tmp_path, numbered, monkeypatch, capsys, number, code
) -> None:
    write = verb.Answers.add

    def add(self, *arguments) -> None:
        write(self, *arguments)
        if self.frames == 3:
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    monkeypatch.setattr(verb.Answers, "add", add)
    assert run(numbered.write(tmp_path / "clip.mp4", 30)) == code
    assert [answer["frame"] for answer in answers(tmp_path)] == [7, 8, 9]
    assert len(overlay_times(tmp_path)) == 3
    name = "Ctrl-C" if number == signal.SIGINT else "SIGTERM"
    assert f"ended by {name} after 10 frames; the 3 frames" in capsys.readouterr().err
    assert signal.getsignal(number) is before


def test_a_second_signal_ends_it_at_once_and_the_overlay_is_complete(
    run, tmp_path, numbered, monkeypatch
) -> None:
    write = verb.Answers.add

    def add(self, *arguments) -> None:
        write(self, *arguments)
        if self.frames == 3:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(verb.Answers, "add", add)
    assert run(numbered.write(tmp_path / "clip.mp4", 30)) == 130
    assert len(answers(tmp_path)) == len(overlay_times(tmp_path)) == 3


def test_answers_are_on_disk_at_once_and_ctrl_c_completes_the_overlay(tmp_path, numbered) -> None:
    """The real program with the shipped model, as one starts it."""
    video = numbered.write(tmp_path / "clip.mp4", 255)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "actseg_core.cli.main", "segment", str(video), "dog"]
    program = subprocess.Popen(
        [*command, "--output", str(out)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    lines = out / "answers.jsonl"
    while program.poll() is None and not (lines.exists() and lines.read_text().count("\n") > 2):
        time.sleep(0.01)
    program.send_signal(signal.SIGINT)
    _, shown = program.communicate()
    assert program.returncode == 130, shown
    assert "ended by Ctrl-C after" in shown
    assert 3 <= len(answers(tmp_path)) == len(overlay_times(tmp_path)) < 240


def test_a_disk_that_is_full_is_told(run, tmp_path, numbered, capsys) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "answers.jsonl").symlink_to("/dev/full")
    assert run(numbered.write(tmp_path / "clip.mp4", 20)) == 2
    shown = capsys.readouterr().err
    assert "cannot write" in shown and "answers.jsonl: No space left on device" in shown


def test_a_file_in_the_place_of_the_folder_is_told(run, tmp_path, numbered, capsys) -> None:
    (tmp_path / "out").write_text("a file")
    assert run(numbered.write(tmp_path / "clip.mp4", 9)) == 2
    assert "out: File exists; is the disk full" in capsys.readouterr().err


def test_a_time_lapse_is_answered(run, tmp_path, numbered) -> None:
    """A frame every 90 s, which would be a break in a camera's stream."""
    assert run(numbered.write(tmp_path / "clip.mkv", 12, ticks=lambda i: 2250 * i)) == 0
    assert [answer["frame"] for answer in answers(tmp_path)] == [7, 8, 9, 10, 11]
    assert overlay_times(tmp_path) == pytest.approx([0.0, 90.0, 180.0, 270.0, 360.0], abs=1e-3)


def test_a_pause_of_the_recording_is_told(run, tmp_path, numbered, capsys) -> None:
    ticks = [*range(20), *range(5000, 5020)]
    assert run(numbered.write(tmp_path / "clip.mkv", 40, ticks=lambda index: ticks[index])) == 0
    told = [answer["frame"] for answer in answers(tmp_path)]
    assert told == [*range(FIRST, 20), *range(20 + FIRST, 40)]
    shown = capsys.readouterr().err
    assert "1 breaks in" in shown and "no frame for 199.240 s" in shown


def test_a_video_shorter_than_a_window_is_told_with_its_length(
    run, tmp_path, numbered, capsys
) -> None:
    assert run(numbered.write(tmp_path / "clip.mp4", FIRST)) == 2
    assert "has 7 frames, fewer than the 8 of one window" in capsys.readouterr().err
    assert not (tmp_path / "out" / "answers.jsonl").exists()


def test_a_video_that_breaks_off_too_often_is_told_why(run, tmp_path, numbered, capsys) -> None:
    ticks = [5000 * (index // 5) + index for index in range(20)]
    assert run(numbered.write(tmp_path / "clip.mkv", 20, ticks=lambda index: ticks[index])) == 2
    shown = capsys.readouterr().err
    assert "never shows 8 frames without a break (the last: no frame for" in shown


def test_wide_pixels_are_shown_wide(run, tmp_path, numbered) -> None:
    from fractions import Fraction

    assert run(numbered.write(tmp_path / "clip.mp4", 10, aspect=Fraction(2))) == 0
    info = probe(tmp_path / "out" / "overlay.mp4")
    assert (info.width, info.height) == (128, 32)


def test_an_address_is_refused_with_what_to_do(run, capsys) -> None:
    assert run("rtsp://me:secret@10.0.0.9/live") == 2
    shown = capsys.readouterr().err
    assert "is a stream, and a file is wanted here; download it, or play it as a camera" in shown
    assert "secret" not in shown
