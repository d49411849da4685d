"""Tests work outside the event loop: one job at a time, the most urgent first, shared by all who request it, in a bounded queue."""

import asyncio
import threading

import pytest

from execution.errors import Refusal
from execution.serial_worker import SerialWorker


class Gate:
    """Provides jobs that wait until they are released; `begun` has the names of those that started, in order."""

    def __init__(self):
        self.begun = []
        self._open = threading.Event()

    def work(self, name):
        def run():
            self.begun.append((name, threading.current_thread()))
            assert self._open.wait(30)
            return name

        return run

    def open(self):
        self._open.set()

    @property
    def names(self):
        return [name for name, _ in self.begun]


async def settled(condition):
    while not condition():
        await asyncio.sleep(0.001)


async def busy(worker, gate):
    """Yields a worker that is busy with a job."""
    first = asyncio.create_task(worker.run("first", gate.work("first")))
    await settled(lambda: gate.begun)
    return first


async def test_work_is_done_in_one_thread_that_is_not_the_loops():
    worker = SerialWorker()
    threads = await asyncio.gather(*[worker.run(number, threading.current_thread) for number in range(5)])
    assert len(set(threads)) == 1
    assert threads[0] is not threading.current_thread()
    worker.close()


async def test_the_earliest_deadline_is_first_and_nothing_is_overtaken_for_ever():
    worker, gate = SerialWorker(), Gate()
    first = await busy(worker, gate)
    jobs = (("heavy", 60.0), ("light", 0.0), ("long ago", -60.0))
    tasks = [asyncio.create_task(worker.run(name, gate.work(name), patience=patience)) for name, patience in jobs]
    await settled(lambda: worker.waiting == 3)
    gate.open()
    await asyncio.gather(first, *tasks)
    # Jobs that arrive after the deadline of a heavy job wait behind it, however light they are.
    assert gate.names == ["first", "long ago", "light", "heavy"]


async def test_flows_take_turns():
    """Checks that a flow with many queued jobs delays another flow's job by one job only."""
    worker, gate = SerialWorker(), Gate()
    tasks = [await busy(worker, gate)]
    for name in ("a1", "a2", "a3", "a4", "b1", "b2"):
        tasks.append(asyncio.create_task(worker.run(name, gate.work(name), flow=name[0])))
        await asyncio.sleep(0.002)
    gate.open()
    await asyncio.gather(*tasks)
    assert gate.names == ["first", "a1", "b1", "a2", "b2", "a3", "a4"]


async def test_work_under_one_key_runs_once_for_all():
    worker, gate = SerialWorker(), Gate()
    first = await busy(worker, gate)
    others = [asyncio.create_task(worker.run("first", gate.work("again"))) for _ in range(3)]
    same = [asyncio.create_task(worker.run("second", gate.work("second"))) for _ in range(3)]
    await settled(lambda: worker.waiting == 1)
    # A caller that is cancelled does not affect the others.
    others[0].cancel()
    same[0].cancel()
    await asyncio.sleep(0)
    gate.open()
    assert await asyncio.gather(first, *others[1:], *same[1:]) == ["first"] * 3 + ["second"] * 2
    assert gate.names == ["first", "second"]


async def test_work_that_nobody_waits_for_any_more_does_not_begin():
    worker, gate = SerialWorker(), Gate()
    first = await busy(worker, gate)
    left = asyncio.create_task(worker.run("left", gate.work("left")))
    await settled(lambda: worker.waiting == 1)
    left.cancel()
    await settled(left.done)
    assert worker.waiting == 0
    gate.open()
    await first
    assert await worker.run("left", gate.work("asked again")) == "asked again"


async def full(worker, gate, flow, size):
    tasks = [asyncio.create_task(worker.run((flow, n), gate.work((flow, n)), flow=flow)) for n in range(size)]
    await settled(lambda: worker.waiting >= size)
    return tasks


async def test_in_a_full_line_the_newest_of_the_flow_with_the_most_gives_way():
    worker, gate = SerialWorker(max_waiting=4), Gate()
    first = await busy(worker, gate)
    many = await full(worker, gate, "many", 4)
    few = asyncio.create_task(worker.run("few", gate.work("few"), flow="few"))
    with pytest.raises(Refusal) as refused:
        await many[3]
    assert refused.value.code == "OVERLOADED"
    with pytest.raises(Refusal):
        await worker.run("one more", gate.work("one more"), flow="many")
    assert worker.waiting == 4
    gate.open()
    assert await asyncio.gather(first, few, *many[:3]) == ["first", "few", ("many", 0), ("many", 1), ("many", 2)]


async def test_a_job_counts_for_the_smallest_flow_that_waits_for_it():
    worker, gate = SerialWorker(max_waiting=4), Gate()
    first = await busy(worker, gate)
    many = await full(worker, gate, "many", 4)
    same = asyncio.create_task(worker.run(("many", 3), gate.work("again"), flow="few"))
    await asyncio.sleep(0)
    other = asyncio.create_task(worker.run("other", gate.work("other"), flow="other"))
    with pytest.raises(Refusal):
        await many[2]
    gate.open()
    assert await asyncio.gather(first, many[3], same, other) == ["first", ("many", 3), ("many", 3), "other"]
    assert (worker.waiting, worker._lines, worker._served) == (0, {}, {})


async def test_a_school_behind_one_address_waits_in_line_and_is_not_refused():
    worker = SerialWorker()
    jobs = [worker.run(n, lambda n=n: n, flow="school", patience=0.25, low_priority=True) for n in range(300)]
    assert sorted(await asyncio.gather(*jobs)) == list(range(300))


async def test_the_line_is_bounded_and_low_priority_has_places_of_its_own():
    worker, gate = SerialWorker(max_waiting=2, max_waiting_low=2), Gate()
    tasks = [await busy(worker, gate)]

    async def enter(name, *, low):
        tasks.append(asyncio.create_task(worker.run(name, gate.work(name), low_priority=low)))
        await settled(lambda: worker.waiting == len(tasks) - 1)

    await enter("low 1", low=True)
    await enter("low 2", low=True)
    with pytest.raises(Refusal) as refused:
        await worker.run("low 3", gate.work("low 3"), low_priority=True)
    assert (refused.value.code, refused.value.extensions["retryAfter"]) == ("OVERLOADED", 1)
    await enter("high 1", low=False)
    await enter("high 2", low=False)
    with pytest.raises(Refusal):
        await worker.run("high 3", gate.work("high 3"))
    gate.open()
    await asyncio.gather(*tasks)
    assert await worker.run("low 3", gate.work("low 3"), low_priority=True) == "low 3"


async def test_what_work_raises_is_raised_where_it_is_waited_for_and_the_next_goes_on():
    worker = SerialWorker()

    def fail():
        raise ValueError("no")

    failed = await asyncio.gather(*[worker.run("a", fail) for _ in range(2)], return_exceptions=True)
    assert [type(each) for each in failed] == [ValueError, ValueError]
    assert await worker.run("b", lambda: 2) == 2


def test_a_worker_outlives_an_event_loop():
    worker = SerialWorker()
    assert asyncio.run(worker.run("a", lambda: 1)) == 1
    worker.close()
    assert asyncio.run(worker.run("a", lambda: 2)) == 2
    worker.close()
