"""A small account in which everything has happened, and whose names are meant to do harm."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, insert, update

from tests.support.account import settings
from tpmirror.db.engine import connected, write
from tpmirror.db.schema import event_cursors, event_deliveries_dead
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store import events
from tpmirror.sync.full import sync
from tpmirror.sync.poll import poll

JOBS: Final = 130
HARMFUL: Final = {
    1: "<script>window.harmed = 1</script><img src=x onerror='window.harmed = 2'>",
    2: '"><svg onload=alert(1)>&amp;&lt;{{ 7 * 7 }}</bdi></td></table>',
    3: "=cmd()|'/c calc'!A1",
    4: "invoice\u202efdp.exe \u2066and\u2069 a\u0007bell\x1b[31m",
    5: "\u05e1\u05e8\u05d8 \u05de\u05e9\u05e4\u05d7\u05ea\u05d9 mix \u0632\u0641\u0627\u0641.mov",
    6: "\U0001f469\u200d\U0001f469\u200d\U0001f467\U0001f3f3\ufe0f\u200d\U0001f308" * 5,
    7: "W" * 1024,
    8: "javascript:alert(1)",
    9: "</script><!--<script>",
}
"""By job: its description and the names of its videos."""
NULLS: Final = 10
"""The job of which upstream states nothing but id and status."""
GONE: Final = 11
CORRECTED: Final = 12
UNREADABLE: Final = 13
KEPT: Final = {"id", "status"}


def mirror_of_everything(database_url: str) -> None:
    """Mirror the account into a database, with runs in between that see it change."""
    world = World(jobs=JOBS, days=60, now=datetime.now(UTC).replace(microsecond=0), in_flight=6)
    for job_id, name in HARMFUL.items():
        videos = {kind: {"name": name} for kind in ("input_video", "output_video") if world.job(job_id)[kind]}
        world.edit(job_id, {"description": name, **videos})
    world.edit(NULLS, dict.fromkeys(world.job(NULLS).keys() - KEPT))
    world.edit_model(44, {"name": HARMFUL[1]})
    with Simulator(world) as simulator:
        wanted = settings(simulator, database_url)
        sync(wanted)
        _happen(world)
        sync(wanted)
        for _ in range(8):
            world.advance(90)
            poll(wanted)
        world.submit(description=HARMFUL[4])
        poll(wanted)
    with connected(database_url) as engine:
        write(engine, _serve)


def _serve(conn: Connection) -> None:
    """Sinks of events: one that has all, one that fails, one that wants nothing more, one that never began."""
    now = datetime.now(UTC)
    error = "cannot be reached: 10.1.2.3 is no public address; name it in TPMIRROR_WEBHOOK_ALLOW if it is meant"
    failed = {"attempts": 3, "next_try_at": now, "last_error": error}
    for name in ("crm", "billing", "gone"):
        events.enroll(conn, name)
    conn.execute(update(event_cursors).where(event_cursors.c.sink == "billing").values(entry=100, **failed))
    conn.execute(update(event_cursors).where(event_cursors.c.sink == "gone").values(entry=7, disabled_at=now))
    conn.execute(insert(event_cursors).values(sink="new"))
    given_up = {"sink": "billing", "entry": 99, "failed_at": now, "last_error": "HTTP 422"}
    conn.execute(insert(event_deliveries_dead).values(given_up))


def _happen(world: World) -> None:
    """A correction, a deletion, something unreadable, something unknown."""
    world.correct_cost(CORRECTED, Decimal("12.3456"))
    world.delete(GONE)
    changed: dict[str, Any] = {"cost_usd": "a lot", "started": "yesterday"}
    world.edit(UNREADABLE, changed)
    world.edit(14, {"status": 7, "container": "mov"})
    world.advance(60)
