"""tf2_ros for Python, from a checkout of ros2/geometry2, built against the PyPI wheels.

python tf2_package.py CHECKOUT FOLDER builds it below FOLDER and prints the folders for PYTHONPATH
and LD_LIBRARY_PATH. With both set, the tests in spatial/ that need tf2 are run, not skipped.
"""

import shutil
import sys
from pathlib import Path

from vision_package import builder

TOP = """cmake_minimum_required(VERSION 3.20)
project(tf2_py)
find_package(ament_cmake REQUIRED)
find_package(ament_cmake_python REQUIRED)
find_package(geometry_msgs REQUIRED)
find_package(rcutils REQUIRED)
find_package(rosidl_runtime_cpp REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter Development.Module)
set(CMAKE_CXX_STANDARD 17)
ament_python_install_package(tf2_py)
file(GLOB sources ${{CMAKE_CURRENT_SOURCE_DIR}}/tf2/src/*.cpp src/tf2_py.cpp)
Python3_add_library(_tf2_py MODULE ${{sources}})
target_include_directories(_tf2_py PRIVATE tf2/include)
target_link_libraries(_tf2_py PRIVATE ${{geometry_msgs_TARGETS}} rcutils::rcutils
  rosidl_runtime_cpp::rosidl_runtime_cpp)
install(TARGETS _tf2_py DESTINATION ${{PYTHON_INSTALL_DIR}}/tf2_py)
ament_package()
"""


def build(checkout: Path, folder: Path) -> tuple[Path, Path]:
    """Build below `folder`; where the Python packages and where the libraries are."""
    tool, source = builder(), folder / "source"
    shutil.copytree(checkout / "tf2_msgs", source / "tf2_msgs")
    shutil.copytree(checkout / "tf2_py", source / "tf2_py")
    shutil.copytree(checkout / "tf2", source / "tf2_py" / "tf2")
    (source / "tf2_py" / "CMakeLists.txt").write_text(TOP.format())
    for name in ("tf2_msgs", "tf2_py"):
        tool.build(folder / f"build_{name}", folder / "stage", source / name)
    packages = tool.stage_site_packages(folder / "stage", "tf2_py")
    shutil.copytree(checkout / "tf2_ros_py" / "tf2_ros", packages / "tf2_ros")
    return packages, folder / "stage" / "lib"


if __name__ == "__main__":
    print(*build(Path(sys.argv[1]), Path(sys.argv[2])))
