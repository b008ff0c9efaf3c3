"""Settings of the nodes themselves; those of the algorithm are in actseg_core/config.py.

Each becomes a ROS parameter of the same name, with this default, range and help text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field
from typing_extensions import Self

from actseg_core.config import Config, OverlayConfig, RuntimeConfig, StreamConfig
from actseg_core.web.config import WebConfig

Reliability = Literal["best_effort", "reliable"]
Change = Literal["live", "unconfigured", "start"]
SPATIAL_LIMITS = (
    *("tolerance_s", "depth_frames", "min_points", "max_points", "max_depth_m"),
    *("marker_lifetime_s", "target_frame", "tf_timeout_s", "cloud_step", "actor_margin_px"),
)
# Parameters of the segmentation node by when they can change; the rest: while unconfigured.
LIVE = frozenset(
    {
        "hang_s",
        "frozen_frames",
        "bit_depth",
        "label_mask.scale",
        *(f"overlay.{name}" for name in OverlayConfig.model_fields),
        *(f"stream.{name}" for name in StreamConfig.model_fields),
    }
    - {"stream.mask_frame", "stream.background"}
    | {f"spatial.{name}" for name in SPATIAL_LIMITS}
)
AT_START = frozenset({"autostart", "cameras", "status_deadline_s", "status_lease_s"})
NAMED_CAMERA_AT_START = frozenset({"image", "depth", "depth_compressed", "camera_info", "spatial"})


class SegmentationConfig(RuntimeConfig):
    """The segmentation node, and what runs its network."""

    preset: str = "lite"
    """Model that ships with the package; `actseg models` lists them."""
    checkpoint: str = ""
    """Path of a .safetensors checkpoint to load instead of the preset's weights."""
    device: str = "cpu"
    """Where the network runs, as torch names it: cpu, cuda, cuda:1."""
    sentence: str = ""
    """Sentence that is active from the start; empty: none."""
    cameras: tuple[str, ...] = ("",)
    """Names of several cameras for this one process, such as [front, rear]; [""]: a single one."""
    autostart: bool = True
    """Configure and activate by itself; false: wait for a lifecycle manager."""
    warm_up: bool = True
    """Answer one blank clip while configuring, so that the first real one is not slow."""
    compressed: bool = False
    """Subscribe to image/compressed (JPEG, PNG, TIFF, WebP) in place of image."""
    image_reliability: Literal["auto", "best_effort", "reliable"] = "auto"
    """QoS of the image subscription; auto: reliable if all cameras on the topic are."""
    image_depth: int = Field(2, ge=1, le=100)
    """QoS depth of the image subscription; the worker's own queue is stream.queue_frames."""
    bit_depth: int = Field(16, ge=8, le=16)
    """Bits that 16-bit images really use; 12 for a 12-bit camera in mono16."""
    check_clock: bool = True
    """Refuse frames whose stamp is far from the node's clock; false for bags without /clock."""
    future_tolerance_s: float = Field(0.2, ge=0.0, le=60.0)
    """A stamp may be this far [s] ahead of the node's clock."""
    frozen_frames: int = Field(30, ge=0, le=100_000)
    """So many equal pictures in a row are a frozen camera: /diagnostics warns; 0: never."""
    status_deadline_s: float = Field(0.3, ge=0.15, le=600.0)
    """QoS deadline [s] offered on status; raise it if one answer takes longer than this."""
    status_lease_s: float = Field(1.0, ge=0.3, le=600.0)
    """QoS liveliness lease [s] of status: a stuck worker is told to subscribers after it."""
    hang_s: float = Field(60.0, ge=1.0, le=3600.0)
    """The process ends with code 70 if the worker makes no progress for this long [s]."""


class SpatialConfig(Config):
    """What the segmentation node makes of aligned depth; `spatial` in its parameters."""

    enabled: bool = False
    """Take ~/depth and ~/camera_info, and offer the 3-D topics."""
    tolerance_s: float = Field(0.02, ge=0.0, le=1.0)
    """A depth image belongs to a frame if their stamps differ by this [s] at most."""
    depth_frames: int = Field(30, ge=1, le=300)
    """Depth images that are kept for masks that are still being computed."""
    depth_compressed: bool = False
    """Take ~/depth/compressedDepth (PNG) in place of ~/depth."""
    depth_reliability: Reliability = "best_effort"
    """QoS of the subscriptions to ~/depth and ~/camera_info."""
    min_points: int = Field(30, ge=1, le=1_000_000)
    """Fewer points with depth in a mask are no place."""
    max_points: int = Field(20_000, ge=1, le=10_000_000)
    """An actor's cloud is thinned out to this many points."""
    max_depth_m: float = Field(20.0, gt=0.0, le=1000.0)
    """Depth beyond this [m] is left out."""
    marker_lifetime_s: float = Field(1.0, gt=0.0, le=600.0)
    """A marker that is not renewed vanishes after this long [s], or 2.5 intervals of answers."""
    target_frame: str = ""
    """Frame of ~/pose and ~/detections_3d, through tf, z up: map, odom, base_link; empty: the
    camera's."""
    tf_timeout_s: float = Field(0.2, ge=0.0, le=10.0)
    """A pose waits this long [s] for the transform at its image's stamp."""
    cloud_step: int = Field(2, ge=1, le=64)
    """~/points_without_actors has every so many'th pixel of every so many'th row."""
    actor_margin_px: int = Field(8, ge=0, le=200)
    """What lies so near to an actor [px] is not in ~/points_without_actors, either."""


class LabelMaskConfig(Config):
    """The images of numbers; `label_mask` in the segmentation node's parameters."""

    scale: float = Field(1.0, ge=0.01, le=1.0)
    """Sides of ~/label_mask, ~/confidence and ~/instances, as a share of the camera image's."""


class WebPageConfig(WebConfig):
    """The page in a browser; `web` in the node's parameters."""

    enabled: bool = False
    """Serve the page with picture, masks and sentences (docs/page.md)."""

    def one_port_each(self, cameras: int) -> list[Self]:
        """For the page of each camera: the ports from `port` on; any free ones where that is 0.

        Raises:
            ConfigError: If there are not so many.
        """
        ports = [self.port + index if self.port else 0 for index in range(cameras)]
        return [self.from_mapping({**self.model_dump(), "port": port}) for port in ports]


class NamedCameraConfig(Config):
    """One of several cameras of the segmentation node; its name stands before each parameter.

    What says "as" of another parameter has that one's value where it is not given itself.
    """

    image: str = ""
    """Topic of its images; empty: ~/NAME/image. With compressed, TOPIC/compressed is taken."""
    compressed: bool = False
    """Take its compressed images; as `compressed`."""
    sentence: str = ""
    """Sentence that is active from the start, of this camera; as `sentence`."""
    spatial: bool = False
    """Take its depth, and offer its 3-D topics; as `spatial.enabled`."""
    depth: str = ""
    """Topic of its depth images; empty: ~/NAME/depth. With depth_compressed,
    TOPIC/compressedDepth is taken."""
    depth_compressed: bool = False
    """Take its compressed depth; as `spatial.depth_compressed`."""
    camera_info: str = ""
    """Topic of its camera_info; empty: ~/NAME/camera_info."""

    @property
    def inputs(self) -> dict[str, str]:
        """The topics that are named here, by the names that they stand for."""
        return {"~/image": self.image, "~/depth": self.depth, "~/camera_info": self.camera_info}


@dataclass(frozen=True)
class NodeSettings:
    """All parameters of the segmentation node that hold for every camera, by their prefix."""

    node: SegmentationConfig
    stream: StreamConfig
    overlay: OverlayConfig
    spatial: SpatialConfig
    label_mask: LabelMaskConfig
    web: WebPageConfig

    @classmethod
    def of(cls, groups: Mapping[str, Config]) -> Self:
        """From prefix to settings; those of the node itself have none."""
        node, stream, overlay = groups[""], groups["stream"], groups["overlay"]
        spatial, label_mask, web = groups["spatial"], groups["label_mask"], groups["web"]
        assert isinstance(node, SegmentationConfig) and isinstance(stream, StreamConfig)
        assert isinstance(overlay, OverlayConfig) and isinstance(spatial, SpatialConfig)
        assert isinstance(label_mask, LabelMaskConfig) and isinstance(web, WebPageConfig)
        return cls(node, stream, overlay, spatial, label_mask, web)

    @property
    def only_camera(self) -> NamedCameraConfig:
        """What a camera without parameters of its own has."""
        return NamedCameraConfig(
            compressed=self.node.compressed,
            sentence=self.node.sentence,
            spatial=self.spatial.enabled,
            depth_compressed=self.spatial.depth_compressed,
        )


class CameraConfig(Config):
    """The node that plays a video, an image folder or a webcam as a camera."""

    source: str = ""
    """Video file, image folder, webcam (0, /dev/video0, /dev/v4l/by-id/...) or stream (rtsp://,
    http://)."""
    rate_hz: float = Field(0.0, ge=0.0, le=1000.0)
    """Frames per second [Hz]; 0: at the frames' own times."""
    loop: bool = True
    """Start over at the end; false: end the process there."""
    frame_id: str = "camera"
    """header.frame_id of the images."""
    encoding: Literal["bgr8", "rgb8", "mono8"] = "bgr8"
    """Encoding of the images."""
    reliability: Reliability = "reliable"
    """QoS of the publisher; a reliable one serves every subscriber."""
    depth: int = Field(2, ge=1, le=100)
    """QoS depth of the publisher."""
    max_side_px: int = Field(0, ge=0, le=16_384)
    """Larger images are scaled down to this longest side [px]; 0: never."""
    wait_for_subscribers: int = Field(0, ge=0, le=100)
    """Subscribers to wait for before the first frame; 0: start at once."""


class BagConfig(Config):
    """The node that plays a rosbag2 recording as a camera."""

    path: str = ""
    """Folder with metadata.yaml, or one .mcap or .db3 file."""
    image: str = ""
    """Its image topic, raw or compressed; empty: the only one there is."""
    depth: str = ""
    """Its topic of aligned depth images; empty: none."""
    camera_info: str = ""
    """Its camera_info topic; empty: none."""
    stamps: Literal["recorded", "now"] = "now"
    """Stamps as recorded, or moved to the moment of sending."""
    clock: bool = False
    """Publish /clock with the time of these stamps, for nodes with use_sim_time."""
    rate: float = Field(1.0, ge=0.01, le=100.0)
    """Seconds of the images' recorded stamps per second."""
    loop: bool = False
    """Start over at the end; false: end the process there."""
    start_s: float = Field(0.0, ge=0.0, le=1e6)
    """Left out at the start [s], by the times of recording."""
    duration_s: float = Field(0.0, ge=0.0, le=1e6)
    """Play this much [s], by the times of recording; 0: to the end."""
    lossless: bool = False
    """Send an image when `~/status` says that the node has taken in the one before."""
    answer_timeout_s: float = Field(60.0, ge=0.1, le=3600.0)
    """Give up a lossless replay if that takes longer than this [s]."""
    reliability: Reliability = "reliable"
    """QoS of the image publishers; a reliable one serves every subscriber."""
    depth_qos: int = Field(10, ge=1, le=1000)
    """QoS depth of the image publishers."""
    wait_for_subscribers: int = Field(0, ge=0, le=100)
    """Subscribers to the images to wait for before the first; lossless waits for the node."""


class RecorderConfig(Config):
    """The node that writes an image topic, such as the overlay, to a video and pictures."""

    folder: str = "out"
    """Where the files go; made if it is missing."""
    name: str = "overlay"
    """The video is NAME.mp4, the pictures are NAME_00001.png and so on."""
    video: bool = True
    """Write an MP4 (H.264), with the time between frames as their stamps say."""
    picture_every_s: float = Field(1.0, ge=0.0, le=3600.0)
    """Write a PNG this often [s] by the images' stamps; 0: never."""
    max_pictures: int = Field(100, ge=0, le=100_000)
    """Pictures after which no more are written."""
    reliability: Reliability = "reliable"
    """QoS of the subscription."""


# Parameters that do nothing unless another has this value.
NEEDS: dict[str, tuple[str, object]] = {
    "preset": ("checkpoint", ""),
    "future_tolerance_s": ("check_clock", True),
    "stream.background": ("stream.mask_frame", "newest"),
    "stream.max_moved_s": ("stream.mask_frame", "newest"),
    **{f"spatial.{name}": ("spatial.enabled", True) for name in SpatialConfig.model_fields},
    **{f"web.{name}": ("web.enabled", True) for name in WebPageConfig.model_fields},
    "answer_timeout_s": ("lossless", True),
}


def without_effect(groups: Mapping[str, Config]) -> list[str]:
    """Settings that differ from their default and do nothing, and why.

    Args:
        groups: Prefix to settings.
    """
    values, defaults = {}, {}
    for prefix, config in groups.items():
        for name, field in type(config).model_fields.items():
            full = f"{prefix}.{name}" if prefix else name
            values[full], defaults[full] = getattr(config, name), field.default
    return [
        f"parameter {name}: {values[name]!r} has no effect while {other} is {values[other]!r}"
        for name, (other, wanted) in NEEDS.items()
        if name in values and other in values and name != other
        if values[name] != defaults[name] and values[other] != wanted
    ]


def change_of(name: str) -> Change:
    """When a parameter of the segmentation node can change."""
    if name in LIVE:
        return "live"
    prefix, _, field = name.rpartition(".")
    is_fixed = name in AT_START or prefix in ("spatial", "web")
    if prefix not in ("", "stream", "overlay", "spatial", "label_mask", "web"):  # of a camera
        is_fixed = field in NAMED_CAMERA_AT_START
    return "start" if is_fixed else "unconfigured"
