"""What headers claim and what is so: which stream, rate, times, order, end."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actseg_core.errors import VideoError
from actseg_core.video import VideoReader, probe, read_video
from actseg_core.video.facts import FrameClock, demux


def times_of(path: Path) -> list[float]:
    return [frame.time_s for frame in read_video(path)]


def numbers_of(path: Path, numbered) -> list[int]:
    return [numbered.number(frame.image) for frame in read_video(path)]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov", ".ts"])
def test_the_rate_is_that_of_the_frames_where_the_header_names_another(
    tmp_path, numbered, suffix
) -> None:
    """The header says 25; a frame came every 0.12 s."""
    path = numbered.write(tmp_path / f"clip{suffix}", 30, ticks=lambda i: 3 * i)
    assert probe(path).fps == pytest.approx(1 / 0.12)
    assert times_of(path)[-1] == pytest.approx(29 * 0.12)


def test_a_time_lapse_has_its_true_rate_and_times(tmp_path, numbered) -> None:
    path = numbered.write(tmp_path / "clip.mkv", 20, ticks=lambda i: 90 * 25 * i)
    assert probe(path).fps == pytest.approx(1 / 90)
    assert times_of(path) == [90.0 * index for index in range(20)]


def test_of_uneven_frames_the_rate_is_the_mean(tmp_path, numbered) -> None:
    """Ten steps of 0.2 s, then nine of 0.04 s: 19 steps in 2.36 s."""
    ticks = [5 * index for index in range(10)] + [50 + index for index in range(10)]
    path = numbered.write(tmp_path / "clip.mp4", 20, ticks=lambda i: ticks[i], b_frames=2)
    assert probe(path).fps == pytest.approx(19 / 2.36)
    assert probe(path).interval_s == pytest.approx(0.2)


@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(24), Fraction(60)])
def test_a_header_that_agrees_with_rounded_times_is_exact(tmp_path, rate) -> None:
    """Matroska counts milliseconds: the times alone would give 29.96 or 60.6."""
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mjpeg", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuvj420p"
        for _ in range(12):
            image = np.zeros((32, 64, 3), np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
        output.mux(stream.encode(None))
    assert probe(path).fps == pytest.approx(float(rate), rel=1e-6)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts", ".mov", ".h264"])
def test_one_frame_is_a_video_of_one_frame(tmp_path, numbered, suffix) -> None:
    path = numbered.write(tmp_path / f"clip{suffix}", 1)
    assert probe(path).frames == 1
    assert times_of(path) == [0.0]
    with VideoReader(path) as reader:
        assert reader.read([0]).shape == (1, 32, 64, 3)


def retimed(path: Path, stamps: list[int | None]) -> Path:
    """A copy of an intra-coded video with other time stamps [ms]; Matroska keeps them."""
    copy = path.with_name(f"retimed_{path.stem}.mkv")
    with av.open(str(path)) as source, av.open(str(copy), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.size]
        for packet, stamp in zip(packets, stamps, strict=True):
            packet.stream, packet.time_base = stream, Fraction(1, 1000)
            packet.pts = packet.dts = stamp
            output.mux(packet)
    return copy


def test_doubled_times_are_spread(tmp_path, numbered) -> None:
    """Two frames share each stamp, 80 ms apart: 19 steps in 0.72 s, so 0.0379 s each."""
    path = numbered.write(tmp_path / "clip.mkv", 20, codec="mjpeg", pix_fmt="yuvj420p")
    path = retimed(path, [80 * (index // 2) for index in range(20)])
    times = times_of(path)
    assert all(before < after for before, after in zip(times, times[1:], strict=False))
    assert times[:4] == pytest.approx([0.0, 0.72 / 19, 0.08, 0.08 + 0.72 / 19])
    assert probe(path).fps == pytest.approx(19 / 0.72)
    with VideoReader(path) as reader:
        assert [numbered.number(image) for image in reader.read([13, 2, 19])] == [13, 2, 19]


def test_times_that_start_anew_go_on(tmp_path, numbered) -> None:
    """Two transport streams joined, as a recorder does that was restarted."""
    first = numbered.write(tmp_path / "a.ts", 20, b_frames=2)
    second = numbered.write(tmp_path / "b.ts", 50, b_frames=2)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    assert numbers_of(joined, numbered) == [*range(20), *range(50)]
    assert times_of(joined) == pytest.approx([index / 25 for index in range(70)], abs=1e-3)
    assert probe(joined).fps == pytest.approx(25.0)
    with VideoReader(joined) as reader:
        assert reader.info.frames == 70
        assert [numbered.number(image) for image in reader.read([25, 19, 69])] == [5, 19, 49]


def test_a_rate_that_no_camera_has_is_no_rate(tmp_path, numbered) -> None:
    """An AVI whose header says 25 million frames a second: its times are as wrong."""
    path = numbered.write(tmp_path / "clip.avi", 10, codec="mjpeg", pix_fmt="yuvj420p")
    content = bytearray(path.read_bytes())
    scale = content.index(b"vids") + 20  # dwScale and dwRate of the stream
    assert int.from_bytes(content[scale + 4 : scale + 8], "little") == 25
    content[scale + 4 : scale + 8] = (25_000_000).to_bytes(4, "little")
    path.write_bytes(content)
    info = probe(path)
    assert (info.fps, info.interval_s) == (25.0, 0.04)
    assert times_of(path) == pytest.approx([index / 25 for index in range(10)])


def test_titles_in_another_encoding_do_not_matter(tmp_path, numbered) -> None:
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as output:
        output.metadata["title"] = "Stra\u00dfe"
        stream = output.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuvj420p"
        output.mux(stream.encode(av.VideoFrame.from_ndarray(numbered.image(5))))
        output.mux(stream.encode(None))
    content = path.read_bytes()
    assert content.count("\u00df".encode()) == 1
    path.write_bytes(content.replace("\u00df".encode(), b"\xdfx"))  # as in Latin-1
    assert numbers_of(path, numbered) == [5]


def test_a_stream_that_appears_in_the_middle_does_not_end_in_an_error() -> None:
    class Container:
        """PyAV's, which trips when it flushes a stream that it did not know at the start."""

        def demux(self, stream):
            yield from (1, 2, 3)
            raise IndexError("list index out of range")

    assert list(demux(Container(), None)) == [1, 2, 3]  # type: ignore[arg-type]


def test_frames_without_times_are_as_far_apart_as_the_rate_says(tmp_path, numbered) -> None:
    path = numbered.write(tmp_path / "clip.h264", 10, b_frames=2)
    assert times_of(path) == pytest.approx([index / 25 for index in range(10)])


STAMPS = st.lists(st.one_of(st.none(), st.floats(-100.0, 100.0)), min_size=1, max_size=40)


@given(STAMPS, st.sampled_from([0.01, 0.04, 90.0]))
def test_whatever_the_stamps_time_begins_at_zero_and_rises(stamps, interval_s) -> None:
    clock = FrameClock(lambda: interval_s)
    times = [clock.time_s(stamp) for stamp in stamps]
    assert times[0] == 0.0
    assert all(before < after for before, after in zip(times, times[1:], strict=False))


@given(st.lists(st.floats(0.001, 1000.0), min_size=1, max_size=40), st.floats(-1e4, 1e4))
def test_stamps_that_rise_are_kept(steps_s, start_s) -> None:
    def unneeded() -> float:
        raise AssertionError("the interval is not needed")

    clock = FrameClock(unneeded)
    stamps = np.cumsum([start_s, *steps_s])
    times = [clock.time_s(float(stamp)) for stamp in stamps]
    assert times == pytest.approx((stamps - start_s).tolist(), abs=1e-6)


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([5.0, 5.1, 5.2, 0.0, 0.1], [0.0, 0.1, 0.2, 0.3, 0.4]),  # a clock that starts anew
        ([0.0, 0.1, 0.2, -9.0, 0.4], [0.0, 0.1, 0.2, 0.3, 0.4]),  # one stamp that is wrong
        ([0.0, 0.1, 0.1, 0.3], [0.0, 0.1, 0.2, 0.3]),  # one that is doubled
        ([None, None, 7.0, 7.2], [0.0, 0.1, 0.2, 0.4]),  # the first ones are missing
        ([0.0, 50.0, 50.1], [0.0, 0.1, 0.2]),  # beyond the longest step
    ],
)
def test_times_go_on_where_stamps_do_not(stamps, times) -> None:
    clock = FrameClock(lambda: 0.1, longest_s=10.0)
    assert [clock.time_s(stamp) for stamp in stamps] == pytest.approx(times)


def with_cover(video: Path, picture: bytes) -> Path:
    """An MP4 whose cover is told before its tracks, so that FFmpeg lists it first."""

    def box(kind: bytes, content: bytes) -> bytes:
        return (8 + len(content)).to_bytes(4, "big") + kind + content

    content = video.read_bytes()
    start = content.rindex(b"moov") - 4  # behind the pictures: nothing that is moved is pointed at
    handler = box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    cover = box(b"covr", box(b"data", (13).to_bytes(4, "big") + bytes(4) + picture))
    extra = box(b"udta", box(b"meta", bytes(4) + handler + box(b"ilst", cover)))
    size = int.from_bytes(content[start : start + 4], "big")
    header = content.index(b"trak", start) - 4
    path = video.with_name(f"covered_{video.name}")
    path.write_bytes(
        content[:start]
        + (size + len(extra)).to_bytes(4, "big")
        + content[start + 4 : header]
        + extra
        + content[header:]
    )
    return path


def jpeg(size: int) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width = encoder.height = size
    encoder.pix_fmt, encoder.time_base = "yuvj420p", Fraction(1, 25)
    frame = av.VideoFrame.from_ndarray(np.full((size, size, 3), 99, np.uint8))
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def test_a_cover_picture_before_the_video_is_passed_over(tmp_path, numbered) -> None:
    path = with_cover(numbered.write(tmp_path / "clip.mp4", 12, b_frames=2), jpeg(48))
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "mjpeg"
    info = probe(path)
    assert (info.fps, info.width, info.height, info.frames) == (25.0, 64, 32, 12)
    assert numbers_of(path, numbered) == list(range(12))
    with VideoReader(path) as reader:
        assert numbered.number(reader.read([7])[0]) == 7


def two_streams(path: Path, first: tuple[int, int, int], second: tuple[int, int, int]) -> Path:
    """Frames, width and height of two streams."""
    with av.open(str(path), "w") as output:
        streams = []
        for _, width, height in (first, second):
            stream = output.add_stream("mjpeg", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
            streams.append(stream)
        for stream, (frames, width, height) in zip(streams, (first, second), strict=True):
            for _ in range(frames):
                image = np.zeros((height, width, 3), np.uint8)
                output.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
            output.mux(stream.encode(None))
    return path


def test_a_cover_that_nobody_marked_is_passed_over(tmp_path) -> None:
    path = two_streams(tmp_path / "clip.mp4", (1, 48, 48), (20, 64, 32))
    assert (probe(path).width, probe(path).frames) == (64, 20)


def test_of_two_videos_in_a_file_the_first_is_taken(tmp_path) -> None:
    path = two_streams(tmp_path / "clip.mkv", (10, 48, 48), (20, 64, 32))
    assert (probe(path).width, probe(path).frames) == (48, 10)
    assert len(times_of(path)) == 10


def test_a_cover_without_a_video_is_told(tmp_path, numbered) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with pytest.raises(VideoError, match="no picture track but a cover picture; give a video"):
        probe(with_cover(path, jpeg(48)))


def test_a_transport_stream_cut_anywhere_gives_the_frames_it_has(tmp_path, numbered) -> None:
    whole = numbered.write(
        tmp_path / "whole.ts", 60, key_every=10, codec_options={"x264-params": "scenecut=0"}
    ).read_bytes()
    cut = tmp_path / "cut.ts"
    cut.write_bytes(whole[len(whole) // 3 + 77 : -len(whole) // 5])
    numbers = numbers_of(cut, numbered)
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert numbers[0] % 10 == 0 and numbers[0] > 0 and 15 < len(numbers) < 50
    with VideoReader(cut) as reader:
        assert reader.info.frames == len(numbers)
        assert numbered.number(reader.read([3])[0]) == numbers[3]


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg2video", "mpeg4"])
def test_a_recording_that_begins_between_two_key_frames_begins_with_the_second(
    tmp_path, numbered, codec
) -> None:
    quiet = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    whole = numbered.write(
        tmp_path / "whole.ts", 60, key_every=10, codec=codec, codec_options=quiet
    ).read_bytes()
    cut = tmp_path / "cut.ts"
    cut.write_bytes(whole[len(whole) // 4 // 188 * 188 :])
    numbers = numbers_of(cut, numbered)
    assert numbers == list(range(numbers[0], 60))
    assert 0 < numbers[0] < 30


def test_a_damaged_beginning_is_told_and_does_not_shift_the_numbers(tmp_path, numbered) -> None:
    path = numbered.write(tmp_path / "clip.mp4", 30, noise=90)
    content = bytearray(path.read_bytes())
    place = content.index(b"mdat") + 200
    content[place : place + 3000] = bytes(3000)
    path.write_bytes(content)
    with pytest.raises(VideoError, match="is damaged or cut short"):
        next(read_video(path))
    with pytest.raises(VideoError, match="is damaged or cut short"):
        VideoReader(path).read([3])


def test_a_matroska_file_cut_short_is_told(tmp_path, numbered) -> None:
    whole = numbered.write(tmp_path / "whole.mkv", 60, key_every=5, noise=90).read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole[: len(whole) // 2])
    came = 0
    with pytest.raises(VideoError, match=r"cut\.mkv is (damaged or )?cut short"):
        for frame in read_video(cut):
            assert numbered.number(frame.image) == came
            came += 1
    assert 10 < came < 50


def test_a_recording_without_a_promised_length_is_whole_wherever_it_ends(
    tmp_path, numbered
) -> None:
    """Browsers and recorders that were switched off name no length."""
    path = numbered.write(tmp_path / "clip.mkv", 60, key_every=5, noise=90, live="1")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert 10 < len(times_of(path)) < 50


def test_a_file_in_pieces_that_lost_its_end_gives_what_came_before(tmp_path, numbered) -> None:
    path = numbered.write(
        tmp_path / "clip.mp4", 60, key_every=10, noise=60, movflags="+frag_keyframe+empty_moov"
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert probe(path).frames > 10
    came = 0
    with pytest.raises(VideoError, match=r"clip\.mp4 is damaged or cut short after \d+ frames"):
        for _ in read_video(path):
            came += 1
    assert came > 10
