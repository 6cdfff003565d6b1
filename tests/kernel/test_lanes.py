"""Streams side by side: everything once, and whoever stops asking stops them all."""

import contextvars
import ctypes
import threading
from itertools import count

import pytest

from nexus.adapters.system.lanes import Lanes


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    left = set(threading.enumerate()) - before
    assert [thread for thread in left if not isinstance(thread, threading.Timer)] == []


@pytest.mark.parametrize("lanes", [1, 2, 5])
@pytest.mark.parametrize("streams", [0, 1, 2, 9])
def test_each_item_of_each_stream_comes_once_and_in_its_streams_order(lanes, streams):
    came = list(Lanes(lanes)(iter([(n, each) for each in range(20)]) for n in range(streams)))
    assert sorted(came) == [(n, each) for n in range(streams) for each in range(20)]
    for stream in range(streams):
        assert [each for n, each in came if n == stream] == list(range(20))


def test_as_many_streams_at_a_time_as_there_are_lanes():
    meeting = threading.Barrier(3, timeout=5)

    def stream():
        meeting.wait()
        yield 1

    assert sum(Lanes(3)(stream() for _ in range(6))) == 6


def endless(begun):
    for number in count():
        begun.set()
        yield number


def test_an_error_is_raised_and_ends_the_other_streams():
    begun = threading.Event()

    def fails():
        assert begun.wait(5)
        yield 0
        raise KeyError("lane")

    with pytest.raises(KeyError, match="lane"):
        sum(Lanes(2)(iter([fails(), endless(begun)])))


def test_who_stops_asking_waits_until_the_present_items_are_done():
    finished, inside, free = [], threading.Event(), threading.Event()

    def slow():
        inside.set()
        assert free.wait(5)
        finished.append(1)
        yield 1
        finished.append(2)

    items = Lanes(2)(iter([endless(threading.Event()), slow()]))
    next(items)
    assert inside.wait(5)
    threading.Timer(0.05, free.set).start()
    items.close()
    assert finished == [1]


def test_who_waits_can_be_interrupted():
    """As a worker's thread is that shall end: by an exception that is delivered between two looks."""
    inside, free, ended = threading.Event(), threading.Event(), []

    class Interrupt(Exception):
        pass

    def stream():
        inside.set()
        free.wait(5)
        yield 1

    def ask():
        try:
            sum(Lanes(1)(iter([stream()])))
        except Interrupt:
            ended.append("interrupted")

    asking = threading.Thread(target=ask)
    asking.start()
    assert inside.wait(5)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(asking.ident), ctypes.py_object(Interrupt))
    threading.Timer(0.3, free.set).start()
    asking.join(5)
    assert ended == ["interrupted"]


def test_streams_are_in_the_context_of_who_asks():
    asking = contextvars.ContextVar("asking", default="nobody")
    asking.set("somebody")

    def stream():
        yield asking.get()

    assert list(Lanes(2)(iter([stream()]))) == ["somebody"]
