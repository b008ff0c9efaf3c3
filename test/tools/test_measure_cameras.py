"""What is started for several cameras, in one process and in as many."""

import os

from measure_cameras import commands, memory_mb, processor_s


def test_one_process_has_all_cameras_and_each_its_own_topic() -> None:
    (line,), _ = commands(["a", "b"], True, ["-p", "threads:=1"])
    assert "cameras:=[a,b]" in line
    assert {"a.image:=/a/image_raw", "b.image:=/b/image_raw"} <= set(line)
    assert line[-2:] == ["-p", "threads:=1"]


def test_as_many_processes_are_in_namespaces_of_their_own() -> None:
    lines, places = commands(["a", "b"], False, [])
    assert [[word for word in line if "__ns" in word] for line in lines] == [
        ["__ns:=/a"],
        ["__ns:=/b"],
    ]
    assert places == ["/a/actseg", "/b/actseg"]
    assert commands(["a", "b"], True, [])[1] == ["/actseg/a", "/actseg/b"]


def test_memory_and_work_of_a_process_are_read() -> None:
    before_s = processor_s(os.getpid())
    sum(index * index for index in range(3_000_000))
    assert processor_s(os.getpid()) > before_s
    assert 5.0 < memory_mb(os.getpid()) < 5000.0
