"""Events reach every living sink, in order, although processes are killed and the database restarts."""

import pytest

from tests.support import deliveries

pytestmark = pytest.mark.exhaustive


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_one_process_that_is_killed_delivers_everything_in_order(mirror_url, tmp_path):
    figures = deliveries.live(mirror_url, tmp_path, 5, transitions=150, kills=5, server=None)
    assert figures.wrong == []
    assert (figures.transitions >= 150, figures.kills) == (True, 5)


def test_three_replicas_that_are_killed_deliver_everything_in_order(tmp_path):
    with deliveries.on_postgres("mirror") as (url, server):
        figures = deliveries.live(url, tmp_path, 5, transitions=150, kills=5, server=server)
    assert figures.wrong == []
    assert (figures.transitions >= 150, figures.kills, figures.restarts) == (True, 5, 5)
