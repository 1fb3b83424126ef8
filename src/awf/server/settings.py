"""What the server must be told."""

from __future__ import annotations

from msgspec import Struct


class ServerSettings(Struct, frozen=True):
    """``host`` is the address it binds to, as given (brackets of ``[::1]`` allowed); on a loopback address only loopback
    names and ``allow_hosts`` pass as ``Host``. ``allow_origins`` are foreign origins that pass. ``max_body`` in bytes;
    ``heartbeat`` (of an idle event stream) and ``drain`` (how long a shutdown waits for streams) in seconds."""

    host: str = "127.0.0.1"
    allow_hosts: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()
    max_body: int = 10 * 1024 * 1024
    heartbeat: float = 15.0
    drain: float = 30.0
