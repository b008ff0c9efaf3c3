"""Publishes ~/result of a node that finds the actor at the right of a 100x50 image, 20 Hz."""

import rclpy
from actseg.msg import ActorMask, ActorMaskArray, ActorState
from sensor_msgs.msg import Image
from std_msgs.msg import Header


def main() -> None:
    rclpy.init()
    node = rclpy.create_node("actseg")
    publisher = node.create_publisher(ActorMaskArray, "/actseg/result", 1)

    def publish() -> None:
        header = Header(stamp=node.get_clock().now().to_msg(), frame_id="cam")
        found = ActorState(value=ActorState.FOUND)
        mask = ActorMask(header=header, state=found, confidence=0.9, sentence="the dog")
        mask.mask = Image(header=header, width=100, height=50)
        mask.centroid_x, mask.centroid_y, mask.area_fraction = 74.25, 25.0, 0.05
        publisher.publish(ActorMaskArray(header=header, state=found, masks=[mask]))

    node.create_timer(0.05, publish)
    rclpy.spin(node)


if __name__ == "__main__":
    main()
