from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# How quickly values are made and tests run says more of the machine than of what is tested.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_configure() -> None:
    """Whoever starts the tests in the background or with ``nohup`` has these signals ignored, and every program that a test
    starts would ignore them as well; a handler is not passed on."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
