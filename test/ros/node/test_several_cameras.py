"""One node with several cameras: names, sentences, diagnostics and lifecycle of each."""

from typing import Any

from actseg.action import Find
from actseg.msg import ActorMaskArray
from actseg.srv import AddQuery, ListQueries
from node_reference import ACTIONS, INPUTS, OUTPUTS, SERVICES
from rclpy.action import ActionClient, get_action_server_names_and_types_by_node
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import Image, PointCloud2

from actseg_core.live.states import State

TWO = {"cameras": ["front", "rear"]}


def below(items: Any, name: str) -> set[str]:
    """Full names of a camera's documented topics or services, without what is not built here."""
    return {
        item.name.replace("~", f"/actseg/{name}")
        for item in items
        if item.name.startswith("~/") and not item.type.startswith("vision_msgs")
    }


def test_every_documented_name_is_there_below_each_cameras(make: Any) -> None:
    bench = make(**TWO, spatial__enabled=True)
    assert bench.node.start() == ""
    for name in TWO["cameras"]:
        bench.client.create_subscription(PointCloud2, f"/actseg/{name}/points", id, 1)
    node = bench.node
    wanted = {name for camera in TWO["cameras"] for name in below(INPUTS, camera)}
    wanted -= {name for name in wanted if "/compressed" in name}

    def heard() -> set[str]:
        return {name for name, _ in node.get_subscriber_names_and_types_by_node("actseg", "/")}

    bench.spin_until(lambda: wanted <= heard(), feed=False)
    published = {name for name, _ in node.get_publisher_names_and_types_by_node("actseg", "/")}
    served = {name for name, _ in node.get_service_names_and_types_by_node("actseg", "/")}
    actions = {name for name, _ in get_action_server_names_and_types_by_node(node, "actseg", "/")}
    for name in TWO["cameras"]:
        assert below(OUTPUTS, name) <= published
        assert below(SERVICES, name) <= served
        assert below(ACTIONS, name) <= actions
    assert not {"/actseg/image", "/actseg/result", "/actseg/command"} & (heard() | published)


def test_topics_that_a_cameras_parameters_name_are_taken_in_place_of_its_own(make: Any) -> None:
    bench = make(
        **TWO, front__image="/robot/colour", front__compressed=True, rear__image="/robot/behind"
    )
    assert bench.node.start() == ""
    cameras = bench.node.cameras
    assert cameras["front"].images.topic_name == "/robot/colour/compressed"
    assert cameras["rear"].images.topic_name == "/robot/behind"


def test_what_holds_for_all_holds_for_a_camera_that_says_nothing_else(make: Any) -> None:
    bench = make(**TWO, sentence="the dog", rear__sentence="the cat", front__spatial=True)
    assert bench.node.start() == ""
    texts = {
        name: [query.sentence.text for query in camera.queries.snapshot()[1]]
        for name, camera in bench.node.cameras.items()
    }
    assert texts == {"front": ["the dog"], "rear": ["the cat"]}
    assert bench.node.cameras["front"].spatial is not None
    assert bench.node.cameras["rear"].spatial is None


def test_sentences_of_one_camera_are_not_the_others(make: Any) -> None:
    bench = make(**TWO)
    assert bench.node.start() == ""
    request = AddQuery.Request(sentence="the dog")
    assert bench.call(AddQuery, "front/add_query", request).accepted
    listed = {
        name: bench.call(ListQueries, f"{name}/list_queries", ListQueries.Request())
        for name in TWO["cameras"]
    }
    assert [query.sentence for query in listed["front"].queries] == ["the dog"]
    assert not listed["rear"].queries
    assert (listed["front"].query_revision, listed["rear"].query_revision) == (1, 0)


def test_a_goal_looks_through_the_camera_below_whose_name_it_was_sent(make: Any) -> None:
    bench = make(**TWO)
    assert bench.node.start() == ""
    rear = bench.client.create_publisher(Image, "/actseg/rear/image", 10)
    client = ActionClient(bench.client, Find, "/actseg/rear/find")
    bench.spin_until(client.server_is_ready, feed=False)
    bench.spin_until(lambda: rear.get_subscription_count() == 1, feed=False)
    sent = client.send_goal_async(Find.Goal(sentence="the dog"))
    bench.spin_until(sent.done, feed=False)
    result = sent.result().get_result_async()
    assert [q.sentence.text for q in bench.node.cameras["rear"].queries.snapshot()[1]]
    assert not bench.node.cameras["front"].queries.snapshot()[1]

    def fed() -> bool:
        rear.publish(bench.picture())
        return bool(result.done())

    bench.spin_until(fed, feed=False)
    assert result.result().result.error_code == Find.Result.NONE
    client.destroy()


def test_each_camera_has_its_status_on_diagnostics(make: Any) -> None:
    bench = make(**TWO, stream__stale_after_s=0.3, stream__slow_camera_intervals=0.0)
    assert bench.node.start() == ""
    front = bench.client.create_publisher(Image, "/actseg/front/image", 10)
    bench.spin_until(lambda: front.get_subscription_count() == 1, feed=False)

    def told() -> bool:
        front.publish(bench.picture())
        if not bench.diagnostics:
            return False
        statuses = {item.name: item for item in bench.diagnostics[-1].status}
        assert set(statuses) == {"actseg/front: segmentation", "actseg/rear: segmentation"}
        messages = [statuses[name].message.split(";")[0] for name in sorted(statuses)]
        return messages == [State.IDLE.name, State.STALE_INPUT.name]

    bench.spin_until(told, feed=False)
    topics = [item.hardware_id for item in bench.diagnostics[-1].status]
    assert topics == ["/actseg/front/image", "/actseg/rear/image"]


def test_all_cameras_stop_with_the_node_and_go_on_with_it(make: Any) -> None:
    bench = make(**TWO, sentence="the dog")
    assert bench.node.start() == ""
    results: dict[str, list[Any]] = {name: [] for name in TWO["cameras"]}
    cameras = []
    for name, kept in results.items():
        bench.client.create_subscription(ActorMaskArray, f"/actseg/{name}/result", kept.append, 10)
        cameras.append(bench.client.create_publisher(Image, f"/actseg/{name}/image", 10))

    def answered() -> bool:
        for camera in cameras:
            camera.publish(bench.picture())
        return all(kept and kept[-1].header.stamp.sec for kept in results.values())

    bench.spin_until(answered, feed=False)
    assert bench.node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    assert bench.node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    for kept in results.values():
        kept.clear()
    bench.spin_until(answered, feed=False)
    engines = bench.model.engines
    assert bench.node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    assert bench.node.trigger_cleanup() == TransitionCallbackReturn.SUCCESS
    assert [engine.closed for engine in engines] == [True, True]


def test_pages_of_several_cameras_have_ports_of_their_own(make: Any) -> None:
    bench = make(**TWO, web__enabled=True, web__port=0)
    assert bench.node.start() == ""
    pages = [camera.page for camera in bench.node.cameras.values()]
    bench.spin_until(lambda: all(page._server for page in pages), feed=False)
    assert len({page._server.url for page in pages}) == 2
