"""Of requests that arrive together while many run, a few start in each iteration of the event loop; probes start at once."""

import asyncio
from contextlib import ExitStack

from tests.polling import block_until
from tests.transport.raw_http import answers, dial, serving
from transport.start_queue import MANY_RUNNING, StartQueue


class Cycle:
    """The part of a request's cycle that the queue uses."""

    disconnected = detached = False

    def detach(self):
        self.detached = True


async def test_a_few_requests_start_in_each_iteration_in_order_of_arrival():
    queue, started, cycles = StartQueue(), [], [Cycle() for _ in range(100)]
    for each in cycles:
        queue.add(each, started.append)
    assert (len(queue), started) == (100, []), "none starts in the iteration in which it arrives"
    counts = []
    while queue:
        before = len(started)
        await asyncio.sleep(0)
        counts.append(len(started) - before)
    assert max(counts) <= 16
    assert started == cycles


async def test_a_request_whose_client_has_left_is_not_started_and_lets_its_connection_go():
    queue, started, left, stays = StartQueue(), [], Cycle(), Cycle()
    queue.add(left, started.append)
    queue.add(stays, started.append)
    left.disconnected = True
    while queue:
        await asyncio.sleep(0)
    assert started == [stays]
    assert (left.detached, stays.detached) == (True, False)


def test_requests_beyond_the_many_that_run_start_in_their_turn_and_probes_at_once():
    with serving() as served:
        queued = []
        add = served.connections.starting.add

        def noted(cycle, start):
            queued.append(cycle.scope["path"])
            add(cycle, start)

        served.connections.starting.add = noted
        with ExitStack() as clients:
            clients.callback(served.release.set)
            for _ in range(MANY_RUNNING):
                clients.enter_context(dial(served, b"GET /waits HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
            block_until(lambda: len(served.scopes) == MANY_RUNNING)
            assert not queued, "fewer are no burst"
            for path in (b"/health/live", b"/echo"):
                with dial(served, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as client:
                    assert [each.status for each in answers(client)] == [200]
            assert queued == ["/echo"]
