"""What a browser may say: one small JSON object per message, checked before anything is done."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from actseg_core.errors import WebError

MAX_MESSAGE_BYTES = 65_536  # the longest sentence allowed, each character escaped
MAX_TEXT = 10_000
WRONG_ALLOWED = 20  # messages that make no sense, before the connection is closed


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Token(_Message):
    """The secret; the first message where one is wanted."""

    do: Literal["token"]
    token: str = Field(max_length=256)


class Got(_Message):
    """Picture `number` has been drawn."""

    do: Literal["got"]
    number: int = Field(ge=0, lt=2**53)


class Watch(_Message):
    """Whether anybody looks: a page in a hidden tab gets no pictures."""

    do: Literal["watch"]
    on: bool


class Ask(_Message):
    """Make this the only sentence; an empty one clears."""

    do: Literal["ask"]
    text: str = Field(max_length=MAX_TEXT)
    call: int = Field(ge=0, lt=2**53)


class Add(_Message):
    """One sentence more."""

    do: Literal["add"]
    text: str = Field(max_length=MAX_TEXT)
    call: int = Field(ge=0, lt=2**53)


class Remove(_Message):
    """One sentence less."""

    do: Literal["remove"]
    id: str = Field(max_length=64)
    call: int = Field(ge=0, lt=2**53)


Command = Ask | Add | Remove
Message = Token | Got | Watch | Command
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="do")])


def read_message(text: str) -> Message:
    """A message from a browser.

    Raises:
        WebError: If it is not JSON, or not one of the messages above.
    """
    try:
        return _MESSAGE.validate_json(text)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in problem["loc"])
        raise WebError(f"message not understood: {place or 'JSON'}: {problem['msg']}") from None
