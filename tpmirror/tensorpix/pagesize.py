"""How many jobs to ask for at once: fewer after an answer that was larger than the limit of one answer."""


class PageSize:
    """The page size of one run, from the size of jobs in its answers.

    Where one job is too large the pages beside it soon grow again; where all are large they stay as small as they have
    to be. Threads may share it without a lock: a lost update costs one more request.
    """

    def __init__(self, most: int, room: int) -> None:
        """``most``: what the settings ask for; ``room``: bytes that are read of an answer."""
        self.room = room
        self.most = most
        """The most that may fit: less for the rest of the run once a page shows that twice as many would not."""
        self.now = most

    def refuse(self, jobs: int) -> None:
        """An answer of so many jobs was too large."""
        self.now = min(self.now, max(jobs // 2, 1))

    def accept(self, jobs: int, size: int) -> None:
        """An answer of so many jobs had so many bytes: ask for twice as many again if those would fit."""
        if jobs != self.now or jobs == self.most:
            return  # asked for before the size changed, or never reduced
        if 2 * size > self.room:
            self.most = jobs
        else:
            self.now = min(2 * jobs, self.most)
