"""ROS parameters declared from the configuration classes: description, type, range, read-only.

Those that change while the node runs are checked and applied as a whole, or refused.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter

from actseg_core.config import Config
from actseg_core.errors import ConfigError
from actseg_ros.settings import Change, without_effect

C = TypeVar("C", bound=Config)
CHANGES: dict[Change, str] = {
    "live": "Can be changed at any time.",
    "unconfigured": "Can be changed while no model is loaded; takes effect at configure.",
    "start": "Can be set at the start only.",
}
# Parameters that rclpy itself reads before or without a declaration.
RCLPY_PREFIXES = ("use_sim_time", "qos_overrides.", "start_type_description_service")


def never(_name: str) -> Change:
    """For nodes whose parameters are read once, at the start."""
    return "start"


def declare(
    node: Node,
    config: type[C],
    prefix: str = "",
    change_of: Callable[[str], Change] = never,
    otherwise: Mapping[str, Any] | None = None,
) -> C:
    """Declare one parameter per setting, named PREFIX.NAME.

    Values come from the command line and the parameters file; a whole number is taken for a
    setting in fractions.

    Args:
        node: Gets the parameters.
        config: The settings.
        prefix: Of all names; empty: none.
        change_of: Full name to when the parameter can change.
        otherwise: Values in place of the settings' own defaults.

    Raises:
        ConfigError: If a value is of the wrong type, out of range or not one of the choices.
    """
    overrides: dict[str, Parameter[Any]] = node._parameter_overrides
    names = {field: f"{prefix}.{field}" if prefix else field for field in config.model_fields}
    given = {field: overrides[name].value for field, name in names.items() if name in overrides}
    for field, value in given.items():
        check_type(names[field], config.model_fields[field], value)
    try:
        values = config.from_mapping({**(otherwise or {}), **given})
    except ConfigError as error:
        raise ConfigError(f"parameter {prefix + '.' if prefix else ''}{error}") from error
    for field, name in names.items():
        about = describe(name, config.model_fields[field], change_of(name))
        value = getattr(values, field)
        try:
            node.declare_parameter(name, value, about, ignore_override=True)
        except ParameterException as error:
            raise ConfigError(f"parameter {name}: {error}") from error
    return values


def refuse_unknown(node: Node) -> None:
    """ROS ignores misspelt parameters in silence; we do not.

    Raises:
        ConfigError: If a value was given for a parameter that is not declared.
    """
    unknown = [
        name
        for name in node._parameter_overrides
        if not node.has_parameter(name) and not name.startswith(RCLPY_PREFIXES)
    ]
    if unknown:
        known = sorted(name for name in node._parameters if not name.startswith(RCLPY_PREFIXES))
        raise ConfigError(
            f"there is no parameter {', '.join(sorted(unknown))}; known: {', '.join(known)}"
        )


def refuse_changes(parameters: "list[Parameter[Any]]") -> SetParametersResult:
    """For add_on_set_parameters_callback: a running clock must not be exchanged from outside.

    With use_sim_time set and no /clock, now() is 0 for ever and every frame looks as if it came
    from the future. Our own parameters are read-only, which rclpy enforces.
    """
    for parameter in parameters:
        if parameter.name == "use_sim_time":
            reason = "use_sim_time can be set at start only; restart the node with it"
            return SetParametersResult(successful=False, reason=reason)
    return SetParametersResult(successful=True)


def describe(name: str, field: FieldInfo, change: Change = "start") -> ParameterDescriptor:
    """Help text, range and choices of one setting, and when it can change."""
    low, high = _limits(field)
    about = ParameterDescriptor(
        name=name,
        description=" ".join((field.description or "").split()),
        read_only=change == "start",
    )
    if get_origin(field.annotation) is Literal:
        choices = ", ".join(str(choice) for choice in get_args(field.annotation))
        about.additional_constraints = f"one of: {choices}. "
    elif field.annotation is int and low is not None and high is not None:
        about.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
    elif field.annotation is float and low is not None and high is not None:
        about.floating_point_range = [
            FloatingPointRange(from_value=float(low), to_value=float(high), step=0.0)
        ]
    about.additional_constraints += CHANGES[change]
    return about


def _limits(field: FieldInfo) -> tuple[float | None, float | None]:
    low: Any = None
    high: Any = None
    for rule in field.metadata:
        if isinstance(rule, (Ge, Gt)):
            low = rule.ge if isinstance(rule, Ge) else rule.gt
        elif isinstance(rule, (Le, Lt)):
            high = rule.le if isinstance(rule, Le) else rule.lt
    return low, high


def check_type(name: str, field: FieldInfo, value: Any) -> None:
    """Refuse other types; pydantic would take "yes" for a bool and "3" for an int.

    Raises:
        ConfigError: If the value is of another type than the setting.
    """
    if get_origin(field.annotation) is tuple:
        if not value and not isinstance(value, str):  # rcl has no type for an empty list
            raise ConfigError(
                f"parameter {name}: the list is empty; give at least one string, or leave the "
                "parameter out"
            )
        if not isinstance(value, (list, tuple)) or any(type(item) is not str for item in value):
            raise ConfigError(
                f"parameter {name} must be a list of strings, got {value!r} of type "
                f"{type(value).__name__}"
            )
        return
    wanted: Any = str if get_origin(field.annotation) is Literal else field.annotation
    accepted = (int, float) if wanted is float else (wanted,)
    if type(value) not in accepted:
        raise ConfigError(
            f"parameter {name} must be of type {wanted.__name__}, got {value!r} of type "
            f"{type(value).__name__}"
        )


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
        self._node, self._told = node, frozenset[str]()
        self._tell_without_effect()

    def _check(self, parameters: "list[Parameter[Any]]") -> SetParametersResult:
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

    def _take_over(self, parameters: "list[Parameter[Any]]") -> None:
        self._groups = self._changed(parameters)
        self._apply(self._groups)
        self._tell_without_effect()

    def _tell_without_effect(self) -> None:
        told = without_effect(self._groups)
        for text in told:
            if text not in self._told:
                self._node.get_logger().warning(text)
        self._told = frozenset(told)

    def _own(self, parameters: "list[Parameter[Any]]") -> "Iterator[Parameter[Any]]":
        """Those of the groups; the others are rclpy's."""
        for parameter in parameters:
            prefix, _, field = parameter.name.rpartition(".")
            if prefix in self._groups and field in type(self._groups[prefix]).model_fields:
                yield parameter

    def _changed(self, parameters: "list[Parameter[Any]]") -> dict[str, Config]:
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
