"""Parameters that change while the node runs: checked and applied as a whole, or refused."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from actseg_core.config import Config
from actseg_core.errors import ConfigError
from actseg_ros.parameters import check_type
from actseg_ros.settings import Change


class ParameterChanges:
    """Watches the parameters of one node and hands over whole, valid settings.

    A request is taken or refused as rclpy delivers it: `set_parameters` one by one,
    `set_parameters_atomically` together. rclpy itself refuses those that are read-only.

    Args:
        node: Whose parameters have been declared from `groups`.
        groups: Prefix to settings in force.
        change_of: Full name to when the parameter can change.
        is_configured: Whether parameters of the kind "unconfigured" are refused now.
        apply: Called with all groups after each change.
    """

    def __init__(
        self,
        node: Node,
        groups: Mapping[str, Config],
        change_of: Callable[[str], Change],
        is_configured: Callable[[], bool],
        apply: Callable[[Mapping[str, Config]], None],
    ) -> None:
        self._groups = dict(groups)
        self._change_of, self._is_configured, self._apply = change_of, is_configured, apply
        node.add_on_set_parameters_callback(self._check)
        node.add_post_set_parameters_callback(self._take_over)

    def _check(self, parameters: list[Parameter[Any]]) -> SetParametersResult:
        try:
            for parameter in self._own(parameters):
                self._check_time(parameter.name)
            self._changed(parameters)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _check_time(self, name: str) -> None:
        if self._change_of(name) == "unconfigured" and self._is_configured():
            raise ConfigError(
                f"{name} cannot change while a model is loaded: clean the node up (lifecycle "
                "transition cleanup), set it, and configure again"
            )

    def _take_over(self, parameters: list[Parameter[Any]]) -> None:
        self._groups = self._changed(parameters)
        self._apply(self._groups)

    def _own(self, parameters: list[Parameter[Any]]) -> Iterator[Parameter[Any]]:
        """Those of the groups; the others are rclpy's."""
        for parameter in parameters:
            prefix, _, field = parameter.name.rpartition(".")
            if prefix in self._groups and field in type(self._groups[prefix]).model_fields:
                yield parameter

    def _changed(self, parameters: list[Parameter[Any]]) -> dict[str, Config]:
        """All groups with new values.

        Raises:
            ConfigError: If a value is of another type, out of range, or contradicts another.
        """
        changed = dict(self._groups)
        for parameter in self._own(parameters):
            prefix, _, field = parameter.name.rpartition(".")
            config = changed[prefix]
            check_type(parameter.name, type(config).model_fields[field], parameter.value)
            changed[prefix] = config.model_copy(update={field: parameter.value})
        return {prefix: _validated(prefix, config) for prefix, config in changed.items()}


def _validated(prefix: str, config: Config) -> Config:
    try:
        return type(config).from_mapping(config.model_dump())
    except ConfigError as error:
        raise ConfigError(f"parameter {prefix + '.' if prefix else ''}{error}") from error
