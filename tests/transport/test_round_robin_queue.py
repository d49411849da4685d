"""Compares the round-robin queue with a simple list of the waiting items."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.round_robin_queue import RoundRobinQueue

STEPS = st.lists(
    st.tuples(st.sampled_from(["append", "append", "next", "remove", "remove what is not there"]), st.integers(0, 4)), max_size=60
)


@given(STEPS)
def test_lengths_are_known_whatever_comes_and_goes(steps):
    queue, waiting = RoundRobinQueue(), []
    for number, (step, value) in enumerate(steps):
        if step == "append":
            queue.append(value, number)
            waiting.append((value, number))
        elif step == "next" and waiting:
            taken = queue.next()
            [found] = [each for each in waiting if each[1] == taken]
            assert found == next(each for each in waiting if each[0] == found[0]), "the oldest of its flow"
            waiting.remove(found)
        elif step == "remove" and waiting:
            gone = waiting.pop(value % len(waiting))
            assert queue.remove(*gone)
        elif step == "remove what is not there":
            assert not queue.remove(value, number)
        lengths = [sum(flow == each for each, _ in waiting) for flow in range(5)]
        assert [queue.length(flow) for flow in range(5)] == lengths
        assert queue.longest == max(lengths)
        assert bool(queue) == bool(waiting)
        if waiting:
            flow, newest = queue.longest_flow()
            assert lengths[flow] == queue.longest
            assert newest == [each for of, each in waiting if of == flow][-1]


def test_flows_take_turns():
    queue = RoundRobinQueue()
    for flow, item in [("many", 1), ("many", 2), ("few", 3), ("many", 4), ("one", 5)]:
        queue.append(flow, item)
    assert [queue.next() for _ in range(5)] == [1, 3, 5, 2, 4]
    with pytest.raises(StopIteration):
        queue.next()
