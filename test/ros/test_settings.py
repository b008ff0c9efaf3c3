"""Parameters that do nothing are told."""

import pytest

from actseg_core.config import Config, StreamConfig
from actseg_ros.settings import (
    BagConfig,
    SegmentationConfig,
    SpatialConfig,
    WebPageConfig,
    without_effect,
)


def groups(**changed: Config) -> dict[str, Config]:
    given: dict[str, Config] = {
        "": SegmentationConfig(),
        "stream": StreamConfig(),
        "spatial": SpatialConfig(),
        "web": WebPageConfig(),
    }
    return {**given, **{name.replace("own", ""): config for name, config in changed.items()}}


def test_defaults_are_never_told() -> None:
    assert without_effect(groups()) == []
    assert without_effect({"": BagConfig()}) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            groups(own=SegmentationConfig(preset="paper", checkpoint="/a.safetensors")),
            "parameter preset: 'paper' has no effect while checkpoint is '/a.safetensors'",
        ),
        (
            groups(stream=StreamConfig(background=True)),
            "parameter stream.background: True has no effect while stream.mask_frame is "
            "'labelled'",
        ),
        (
            groups(spatial=SpatialConfig(max_depth_m=3.0)),
            "parameter spatial.max_depth_m: 3.0 has no effect while spatial.enabled is False",
        ),
        (
            groups(web=WebPageConfig(port=9000)),
            "parameter web.port: 9000 has no effect while web.enabled is False",
        ),
        (
            {"": BagConfig(answer_timeout_s=5.0)},
            "parameter answer_timeout_s: 5.0 has no effect while lossless is False",
        ),
    ],
)
def test_what_another_parameter_makes_useless_is_told(given: dict[str, Config], told: str) -> None:
    assert without_effect(given) == [told]


def test_what_has_its_effect_is_not_told() -> None:
    assert without_effect(groups(spatial=SpatialConfig(enabled=True, max_depth_m=3.0))) == []
    assert without_effect(groups(stream=StreamConfig(mask_frame="newest", background=True))) == []
