"""Two answers under way together may show a job at two moments; what the mirror makes of them was so."""

from threading import Event

from tests.support.account import KEY, mirror, rows
from tests.support.program import until
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World


def test_an_answer_overtaken_on_its_way_invents_no_status_change(mirror_url):
    world = World(seed=3, jobs=60, in_flight=0, jobs_per_day=0)
    job_id = world.submit()
    for _ in range(19):
        world.submit()  # so that the job is on the page at 0 and on the one at 19
    older_served, counted = Event(), Event()
    with Simulator(world, token=KEY, page_cap=20) as simulator:
        mirror(simulator, mirror_url, page_size=20)

        def respond(request):
            offset = request.query.get("offset")
            if request.query.get("limit") == "1":
                counted.set()
            elif counted.is_set() and offset == "0" and world.status(job_id) == 0:  # sent first, served second
                older_served.wait(20)
                world.start(job_id)
            elif counted.is_set() and offset == "19" and not older_served.is_set():  # served first, arrives last
                answer = simulator.answer(request)
                older_served.set()
                until(lambda: rows(mirror_url, "jobs", id=job_id)[0]["status"] == 1)
                return answer
            return None

        simulator.respond = respond
        mirror(simulator, mirror_url, page_size=20, concurrency=2)
        simulator.respond = None
        mirror(simulator, mirror_url, page_size=20)
    assert older_served.is_set(), "the pages did not overlap"
    assert [entry["to_status"] for entry in rows(mirror_url, "job_status_history", job_id=job_id)] == [0, 1]
