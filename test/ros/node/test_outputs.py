"""Mask and overlay, raw and compressed: at the frame's stamp, and only when wanted."""

from typing import Any

from sensor_msgs.msg import Image

from actseg_ros.convert import decode


def test_mask_and_overlay_come_with_the_frames_stamp(make: Any) -> None:
    bench = make(sentence="the dog")
    pictures: dict[str, list[Image]] = {"mask": [], "overlay": []}
    for topic, kept in pictures.items():
        bench.client.create_subscription(Image, f"/actseg/{topic}", kept.append, 10)
    bench.start()
    bench.spin_until(lambda: pictures["mask"] and len(pictures["overlay"]) > 3)
    mask, overlay = pictures["mask"][-1], pictures["overlay"][-1]
    assert (mask.encoding, sum(mask.data)) == ("mono8", 18 * 255)
    assert (overlay.encoding, overlay.width, overlay.height) == ("bgr8", 16, 12)
    assert decode(overlay, 1000).any()
    stamps = [(item.header.stamp.sec, item.header.stamp.nanosec) for item in bench.results]
    assert (mask.header.stamp.sec, mask.header.stamp.nanosec) in stamps
