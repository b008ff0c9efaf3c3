"""vision_msgs, as far as the node needs it, built against the PyPI wheels.

python vision_package.py FOLDER builds it below FOLDER and prints the folders for PYTHONPATH and
LD_LIBRARY_PATH. Fields as in the ros2 branch of ros-perception/vision_msgs.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
MESSAGES = {
    "Point2D": "float64 x\nfloat64 y\n",
    "Pose2D": "vision_msgs/Point2D position\nfloat64 theta\n",
    "BoundingBox2D": "vision_msgs/Pose2D center\nfloat64 size_x\nfloat64 size_y\n",
    "ObjectHypothesis": "string class_id\nfloat64 score\n",
    "ObjectHypothesisWithPose": "ObjectHypothesis hypothesis\n"
    "geometry_msgs/PoseWithCovariance pose\n",
    "Detection2D": "std_msgs/Header header\nObjectHypothesisWithPose[] results\n"
    "BoundingBox2D bbox\nstring id\n",
    "Detection2DArray": "std_msgs/Header header\nDetection2D[] detections\n",
    "VisionClass": "uint16 class_id\nstring class_name\n",
    "LabelInfo": "std_msgs/Header header\nvision_msgs/VisionClass[] class_map\n"
    "float32 threshold\n",
}
CMAKE = """cmake_minimum_required(VERSION 3.16)
project(vision_msgs)
find_package(ament_cmake REQUIRED)
find_package(geometry_msgs REQUIRED)
find_package(rosidl_default_generators REQUIRED)
find_package(std_msgs REQUIRED)
rosidl_generate_interfaces(vision_msgs {files} DEPENDENCIES geometry_msgs std_msgs)
ament_package()
"""
PACKAGE = """<package format="3">
  <name>vision_msgs</name><version>4.1.1</version><description>for a test</description>
  <maintainer email="maintainers@actseg.example">actseg</maintainer><license>Apache-2.0</license>
  <buildtool_depend>rosidl_default_generators</buildtool_depend>
  <depend>geometry_msgs</depend><depend>std_msgs</depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
</package>
"""


def builder() -> ModuleType:
    """tools/build_interfaces.py, which is no package."""
    spec = importlib.util.spec_from_file_location(
        "build_interfaces", ROOT / "tools" / "build_interfaces.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build(folder: Path) -> tuple[Path, Path]:
    """Build below `folder`; where the Python package and where the libraries are."""
    source = folder / "source"
    (source / "msg").mkdir(parents=True)
    for name, fields in MESSAGES.items():
        (source / "msg" / f"{name}.msg").write_text(fields)
    files = " ".join(f"msg/{name}.msg" for name in MESSAGES)
    (source / "CMakeLists.txt").write_text(CMAKE.format(files=files))
    (source / "package.xml").write_text(PACKAGE)
    tool = builder()
    tool.build(folder / "build", folder / "stage", source)
    packages = tool.stage_site_packages(folder / "stage", "vision_msgs")
    return packages, folder / "stage" / "lib"


if __name__ == "__main__":
    print(*build(Path(sys.argv[1])))
