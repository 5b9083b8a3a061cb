"""The page size of a run: smaller where answers are too large, larger again where only one job was."""

from tpmirror.tensorpix.pagesize import PageSize

KB = 1000
ROOM = 6400 * KB


def walk(sizes: list[int], most: int) -> tuple[list[int], PageSize]:
    """Read jobs of these sizes in order: how many each request asked for, and the page size afterwards."""
    size, asked, offset = PageSize(most, ROOM), list[int](), 0
    while offset < len(sizes):
        jobs = size.now
        asked.append(jobs)
        served = sizes[offset : offset + jobs]
        if sum(served) <= ROOM:
            size.accept(jobs, sum(served))
            offset += len(served)
        elif jobs > 1:
            size.refuse(jobs)
        else:
            size.accept(1, 0)
            offset += 1
    return asked, size


def test_jobs_of_the_usual_size_are_read_in_pages_as_asked_for():
    asked, size = walk([3 * KB] * 1000, 100)
    assert (asked, size.most) == ([100] * 10, 100)


def test_where_all_jobs_are_large_one_refusal_is_remembered_for_the_rest_of_the_run():
    asked, size = walk([70 * KB] * 1000, 100)
    assert (asked, size.most) == ([100] + [50] * 20, 50)


def test_a_page_beside_one_large_job_grows_again():
    asked, size = walk([3 * KB] * 537 + [9000 * KB] + [3 * KB] * 1462, 100)
    assert (size.now, size.most) == (100, 100)
    assert len(asked) < 20 + 2 * 7 + 7


def test_jobs_that_are_all_too_large_cost_two_requests_each():
    asked, _ = walk([9000 * KB] * 100, 100)
    assert len(asked) < 2 * 100 + 7


def test_an_answer_from_before_the_size_changed_says_nothing_of_it():
    size = PageSize(100, ROOM)
    size.refuse(100)
    size.refuse(100)
    size.accept(100, 0)
    assert (size.now, size.most) == (50, 100)
    size.accept(1, 6000 * KB)
    assert (size.now, size.most) == (50, 100)
