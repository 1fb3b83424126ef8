from __future__ import annotations

import os
import subprocess
import sys
import threading

from awf.stores.sqlite.turnstile import Turnstile

HOLD_AND_WAIT = """
import sys
from pathlib import Path
from awf.stores.sqlite.turnstile import Turnstile
with Turnstile(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def _wait_until_awaited(turnstile):
    while not turnstile.awaited():
        os.sched_yield()


def test_one_at_a_time(tmp_path):
    inside, most = [], []

    def enter_often():
        turnstile = Turnstile(tmp_path)
        for _ in range(200):
            with turnstile:
                inside.append(None)
                most.append(len(inside))
                inside.pop()
        turnstile.close()

    threads = [threading.Thread(target=enter_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 800
    assert set(most) == {1}


def test_who_waits_is_next_however_often_the_holder_comes_back(tmp_path):
    holder, turns = Turnstile(tmp_path), []

    def wait_and_enter():
        waiting = Turnstile(tmp_path)
        with waiting:
            turns.append("who waited")
        waiting.close()

    for _ in range(20):
        with holder:
            thread = threading.Thread(target=wait_and_enter)
            thread.start()
            _wait_until_awaited(holder)
            turns.append("holder")
        with holder:
            turns.append("holder again")
        thread.join()
    holder.close()
    assert turns == ["holder", "who waited", "holder again"] * 20


def test_nobody_waits_where_nobody_waits(tmp_path):
    turnstile = Turnstile(tmp_path)
    with turnstile:
        assert not turnstile.awaited()
    turnstile.close()


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    turnstile = Turnstile(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD_AND_WAIT, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout.readline() == b"held\n"
        process.kill()
    with turnstile:
        pass
    turnstile.close()


def test_a_child_process_does_not_keep_the_lock(tmp_path):
    holder = Turnstile(tmp_path)
    with holder:
        child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, close_fds=False)
    holder.close()
    other = Turnstile(tmp_path)
    with other:
        assert child.poll() is None
    other.close()
    child.communicate()
