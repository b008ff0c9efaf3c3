"""Settings of the page; `web` in the node's parameters, options of `actseg live`."""

from pydantic import Field, model_validator
from typing_extensions import Self

from actseg_core.config import Config
from actseg_core.web.security import is_loopback

SHORTEST_TOKEN = 8


class WebConfig(Config):
    """Who can open the page, and how much it may take."""

    host: str = "127.0.0.1"
    """Address to listen on; 127.0.0.1: this machine only, 0.0.0.0: the network, with a token."""
    port: int = Field(8060, ge=0, le=65535)
    """TCP port; 0: any that is free."""
    token: str = ""
    """Secret that browsers must know; empty: none on 127.0.0.1, elsewhere a new one each start."""
    max_clients: int = Field(8, ge=1, le=64)
    """Browsers that may look at once."""
    rate_hz: float = Field(20.0, gt=0.0, le=100.0)
    """Pictures per second [Hz] for each browser, at most."""
    max_side_px: int = Field(1280, ge=160, le=4096)
    """Larger pictures are scaled down to this longest side [px] for the browser."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.token and (len(self.token) < SHORTEST_TOKEN or not self.token.isascii()):
            raise ValueError(f"token must have {SHORTEST_TOKEN} ASCII characters at least")
        return self

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the page."""
        return is_loopback(self.host)
