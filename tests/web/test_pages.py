"""The dashboard in a real browser: every page on both databases, its filters, links and charts, harm shown as text."""

import os
import re
import shutil
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.support import browser as chromium
from tests.support.account import query
from tests.support.hostile import CORRECTED, GONE, HARMFUL, NULLS, mirror_of_everything
from tpmirror.config import load
from tpmirror.web.app import create_app
from tpmirror.web.server import Server

ON_SQLITE = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True, scope="module")
"""What a browser does with a page does not depend on the database; test_app has the pages of both."""

if chromium.locate() is None:
    missing = "NO BROWSER: the tests of the dashboard did not run; python -m tests.support.browser gets one"
    if os.environ.get("CI"):
        raise RuntimeError(missing)
    pytest.skip(missing, allow_module_level=True)

AXE = Path(__file__).parents[1] / "vendor" / "axe.min.js"
PAGES = [
    "/",
    "/jobs",
    "/jobs?status=2&sort=-credits&q=a",
    "/jobs?q=no+such+job",
    f"/jobs/{NULLS}",
    f"/jobs/{GONE}",
    f"/jobs/{CORRECTED}",
    *(f"/jobs/{job_id}" for job_id in HARMFUL),
    "/jobs/130",
    "/costs",
    "/costs?per=day&by=task&from=90d",
    "/costs?from=all&by=owner&of=studio%40example.com",
    "/statement?month=this-month",
    "/operations?from=90d",
    "/sync",
    "/data",
    "/data?q=credits",
    "/data/job_overview",
]
IN_FLIGHT = "SELECT job_id FROM active_jobs WHERE status IN (0, 1) ORDER BY started, job_id"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def dialect(request: pytest.FixtureRequest) -> str:
    """Both databases, each filled once for all tests of this file."""
    return str(request.param)


@pytest.fixture(scope="module")
def account(dialect: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[str]:
    """The database of a mirror in which everything has happened."""
    if dialect == "sqlite":
        copied = shutil.copyfile(request.getfixturevalue("migrated_file"), tmp_path_factory.mktemp("web") / "mirror.db")
        mirror_of_everything(f"sqlite:///{copied}")
        yield f"sqlite:///{copied}"
    else:
        server = request.getfixturevalue("migrated_postgres")
        server.create("dashboard", "migrated")
        mirror_of_everything(server.url("dashboard"))
        yield server.url("dashboard")
        server.drop("dashboard")


@pytest.fixture(scope="module")
def dashboard(account: str, dialect: str) -> Iterator[str]:
    """The URL of its dashboard: with amounts beside Credits, and without."""
    variables = {"TPMIRROR_DATABASE_URL": account, "TPMIRROR_BUDGET_MONTHLY": "500"}
    price = {"sqlite": "1234.567 EUR", "postgresql": ""}[dialect]
    app = create_app(load({**variables, "TPMIRROR_CREDIT_PRICE": price}))
    server = Server(app, ("127.0.0.1", 0))
    yield server.start()
    server.stop()
    app.state.engine.dispose()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the file."""
    with sync_playwright() as playwright:
        started = chromium.launch(playwright)
        yield started
        started.close()


class Watched:
    """A page of the browser that notes whatever goes wrong, and every address it asks for."""

    def __init__(self, browser: Browser, origin: str, **options: Any) -> None:
        self.origin = origin
        self.context = browser.new_context(base_url=origin, **options)
        self.page = self.context.new_page()
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda said: self.wrong.append(f"{self.page.url}: {said.type} {said.text}"))
        self.page.on("pageerror", lambda error: self.wrong.append(f"{self.page.url}: {error}"))
        self.page.on("dialog", lambda dialog: self.wrong.append(f"{self.page.url}: dialog {dialog.message}"))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, path: str) -> Page:
        """Go there; it has to be a page."""
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        return self.page


@pytest.fixture
def watched(browser: Browser, dashboard: str) -> Iterator[Watched]:
    """A page of the size of a laptop's; nothing may go wrong on it, and nothing be loaded from elsewhere."""
    found = Watched(browser, dashboard, viewport={"width": 1280, "height": 800})
    yield found
    found.context.close()
    assert found.wrong == []
    assert [url for url in found.asked if not url.startswith(f"{dashboard}/")] == []


def test_each_page_renders_and_fits(watched: Watched):
    for path in PAGES:
        page = watched.open(path)
        assert page.locator("h1").inner_text()
        assert page.locator("[data-chart] canvas").count() == page.locator("[data-chart]").count()
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") == width, f"{path} is wider than {width}"


@ON_SQLITE
def test_below_a_path_the_browser_asks_for_nothing_outside_it(browser: Browser, account: str):
    variables = {"TPMIRROR_HTTP_PREFIX": "/tpmirror", "TPMIRROR_HTTP_OPEN": "yes"}
    app = create_app(load({"TPMIRROR_DATABASE_URL": account, **variables}))
    server = Server(app, ("127.0.0.1", 0))
    watched = Watched(browser, server.start())
    watched.page.clock.install()
    page = watched.open("/tpmirror/")
    with page.expect_response("**/tpmirror/live"):
        page.clock.fast_forward(5_000)
    for name in ("Jobs", "Costs", "Operations", "Sync", "Data"):
        follow(page.get_by_role("link", name=name, exact=True))
        assert page.locator("[data-chart] canvas").count() == page.locator("[data-chart]").count()
        assert page.get_by_role("link", name=name, exact=True).get_attribute("aria-current") == "page"
    page = watched.open("/tpmirror/jobs")
    page.locator("main input[name=q]").fill("=cmd()")
    follow(page.get_by_role("button", name="Show"))
    assert page.url.startswith(f"{watched.origin}/tpmirror/jobs?")
    watched.context.close()
    server.stop()
    app.state.engine.dispose()
    assert watched.wrong == []
    assert [url for url in watched.asked if not url.startswith(f"{watched.origin}/tpmirror/")] == []


@pytest.mark.exhaustive
@ON_SQLITE
def test_axe_finds_nothing_serious(browser: Browser, dashboard: str, dialect: str):
    """With what it can judge from outside: contrast, names, roles, order of headings. On a page of each kind.

    The pages are the same on both databases: one is looked at by day, one by night.
    """
    scheme: Any = {"sqlite": "light", "postgresql": "dark"}[dialect]
    watched = Watched(browser, dashboard, color_scheme=scheme)
    source = AXE.read_text(encoding="utf-8")
    found = []
    for path in (
        "/",
        "/jobs",
        "/jobs/130",
        f"/jobs/{CORRECTED}",
        "/costs",
        "/statement?month=this-month",
        "/operations",
        "/sync",
        "/data",
        "/data/job_overview",
        "/jobs?q=none",
    ):
        page = watched.open(path)
        page.evaluate(source)
        violations = page.evaluate("axe.run().then(result => result.violations)")
        found += [
            (path, each["id"], each["nodes"][0]["html"][:200])
            for each in violations
            if each["impact"] in {"serious", "critical"}
        ]
    watched.context.close()
    assert found == []


@pytest.mark.exhaustive
@ON_SQLITE
def test_harmful_names_are_shown_and_do_nothing(watched: Watched):
    for job_id, name in HARMFUL.items():
        page = watched.open(f"/jobs/{job_id}")
        shown = "".join(f"\\u{ord(ch):04x}" if ch in "\u202e\u2066\u2069\u0007\x1b" else ch for ch in name)
        assert page.locator("h1 + p").text_content() == shown
        assert page.evaluate("window.harmed") is None
        strange = "main img, main :not(.timeline) > svg, main script:not([type='application/json'])"
        assert page.locator(strange).count() == 0
    page = watched.open("/jobs?sort=job_id")
    assert page.locator("tbody tr").count() == 50
    assert page.evaluate("window.harmed") is None


@pytest.mark.exhaustive
@ON_SQLITE
def test_nulls_show_as_dashes(watched: Watched):
    page = watched.open(f"/jobs/{NULLS}")
    text = page.locator("main").inner_text()
    assert "None" not in text.replace("None since the mirror first saw this job.", "")
    assert "nan" not in text.lower().split()
    assert page.locator("dd", has_text="\u2013").count() > 20


def follow(leads: Locator) -> None:
    """Click what leads to another page, and wait until all of that is there: a click alone returns before."""
    with leads.page.expect_navigation():
        leads.click()


def ids(page: Page) -> list[int]:
    """The jobs on a page, in order."""
    return [int(row.get_attribute("data-job") or 0) for row in page.locator("tr[data-job]").all()]


@pytest.mark.exhaustive
@ON_SQLITE
def test_pages_lead_to_one_another(watched: Watched, account: str):
    page = watched.open("/jobs")
    seen = ids(page)
    while page.get_by_role("link", name="Next").count():
        follow(page.get_by_role("link", name="Next"))
        seen += ids(page)
    assert seen == [row[0] for row in query(account, "SELECT job_id FROM job_overview ORDER BY job_id DESC")]
    follow(page.get_by_role("link", name="Previous"))
    follow(page.get_by_role("link", name="Page 1", exact=True))
    assert ids(page) == seen[:50]


@pytest.mark.exhaustive
@ON_SQLITE
def test_filters_narrow_the_list_and_stay_in_the_url(watched: Watched, account: str):
    page = watched.open("/jobs")
    page.locator("select[name=status]").select_option("Failed")
    follow(page.get_by_role("button", name="Show"))
    (wanted,) = query(account, "SELECT COUNT(*) FROM job_overview WHERE status = -1")[0]
    assert "status=-1" in page.url
    assert len(ids(page)) == wanted > 0
    assert set(page.locator("tbody td.state .status:first-child").all_inner_texts()) == {"Failed"}
    follow(page.get_by_role("link", name="Credits"))
    assert "status=-1" in page.url
    assert page.locator("th[aria-sort='descending']").inner_text().startswith("Credits")
    page.reload()
    assert page.locator("select[name=status]").input_value() == "-1"
    follow(page.get_by_role("link", name="Remove the filter Status: Failed"))
    assert ids(page)[:1] != []
    page.locator("main input[name=q]").fill("=cmd()")
    follow(page.get_by_role("button", name="Show"))
    assert ids(page) == [3]
    follow(page.locator("tr[data-job='3'] a"))
    assert page.url.endswith("/jobs/3")


@pytest.mark.exhaustive
@ON_SQLITE
def test_every_link_leads_somewhere(watched: Watched):
    found: set[str] = set()
    for path in (
        "/",
        "/jobs",
        "/costs",
        "/statement?month=this-month",
        "/operations",
        "/sync",
        "/data",
        "/data/jobs",
        f"/jobs/{CORRECTED}",
    ):
        page = watched.open(path)
        found |= set(page.evaluate("[...document.querySelectorAll('a[href]')].map(a => a.href)"))
        targets = page.evaluate("[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href'))")
        assert [target for target in targets if not page.evaluate("t => !!document.querySelector(t)", target)] == []
    outside = {url for url in found if not url.startswith(f"{watched.origin}/")}
    assert outside == {f"https://backend.tensorpix.ai/api/jobs/{CORRECTED}/"}
    for url in sorted({url.split("#")[0] for url in found - outside}):
        assert watched.context.request.get(url).status == 200, url


def drawn(page: Page, chart: str) -> tuple[dict[str, Any], list[list[float]]]:
    """What a chart was given, and the columns that uPlot draws, first series first."""
    given, columns = page.evaluate(
        "id => { const b = document.getElementById(id); return [b.values, b.chart.data] }", chart
    )
    return given, columns[1:]


@pytest.mark.exhaustive
@ON_SQLITE
def test_costs_are_drawn_as_the_views_say(watched: Watched, account: str):
    page = watched.open("/costs")
    given, columns = drawn(page, "costs")
    months = [page.evaluate("at => new Date(at * 1000).toISOString().slice(0, 7)", at) for at in given["x"]]
    totals = {
        month: float(spent)
        for month, spent in query(account, "SELECT month, SUM(credits) FROM cost_by_model GROUP BY month")
    }
    sums = [sum(each) for each in zip(*(series["values"] for series in given["series"]), strict=True)]
    assert sums == pytest.approx([totals.get(month, 0) for month in months], abs=1e-6)
    first = given["series"][0]
    exact = query(
        account, f"SELECT month, SUM(credits) FROM cost_by_model WHERE model = '{first['name']}' GROUP BY month"
    )
    assert dict(zip(months, first["values"], strict=True)) == pytest.approx(
        dict.fromkeys(months, 0) | {month: float(spent) for month, spent in exact}, abs=1e-6
    )
    stacked = [list(accumulate(each)) for each in zip(*(series["values"] for series in given["series"]), strict=True)]
    assert [list(each) for each in zip(*reversed(columns), strict=True)] == [pytest.approx(each) for each in stacked]


@ON_SQLITE
def test_the_keyboard_leads_from_the_bar_of_this_month_to_its_dearest_job_in_two_steps(watched: Watched, account: str):
    page = watched.open("/costs")
    bars = page.locator("#costs a.bar")
    assert [bars.nth(n).get_attribute("tabindex") for n in range(12)] == ["-1"] * 11 + ["0"], "one stop for Tab"
    tab_to(page, "a.bar")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    assert page.locator(".tip strong").inner_text().endswith("so far")
    assert page.locator(".tip .total .num").first.inner_text() != "0"
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#jobs"
    # The bar's month, not the newest there is: on the last evening of one a job may be in the next by its own times.
    month = re.findall(r"\bfrom=(\d{4}-\d\d)-01\b", page.url)[0]
    dearest = f"SELECT job_id FROM job_overview WHERE month = '{month}' AND NOT preview AND credits IS NOT NULL"
    (job_id,) = query(account, f"{dearest} ORDER BY credits DESC, job_id DESC")[0]
    tab_to(page, "a", most=3)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.endswith(f"/jobs/{job_id}")


def tab_to(page: Page, selector: str, most: int = 60) -> None:
    """Press Tab until what has the focus is what is looked for."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(selector)


@ON_SQLITE
def test_a_statement_leads_to_the_bar_that_a_correction_is_in(watched: Watched):
    page = watched.open("/statement?month=this-month")
    follow(page.get_by_role("link", name="corrections to earlier months"))
    month = page.evaluate("location.hash.slice('#costs-'.length)")
    assert page.evaluate("document.activeElement.className") == "bar"
    assert page.locator(".tip strong").inner_text().startswith(month)


@pytest.mark.exhaustive
@ON_SQLITE
def test_what_stands_at_a_bar_adds_up(browser: Browser, dashboard: str):
    watched = Watched(browser, dashboard, timezone_id="America/New_York")
    page = watched.open("/costs")
    page.locator("#costs a.bar").last.hover()
    shares = [float(text.removesuffix(" %")) for text in page.locator(".tip td:nth-child(4)").all_inner_texts() if text]
    assert sum(shares) == pytest.approx(100, abs=0.5)
    assert "by your clock" in page.locator(".tip").inner_text()
    watched.context.close()
    assert watched.wrong == []


@pytest.mark.exhaustive
@ON_SQLITE
def test_jobs_that_ended_are_drawn_as_the_views_say(watched: Watched, account: str):
    given, columns = drawn(watched.open("/"), "ended")
    assert [series["name"] for series in given["series"]] == ["Finished", "Failed", "Canceled"]
    days = [watched.page.evaluate("at => new Date(at * 1000).toISOString().slice(0, 10)", at) for at in given["x"]]
    for series in given["series"]:
        found = query(
            account, f"SELECT day, COUNT(*) FROM job_overview WHERE status_name = '{series['name']}' GROUP BY day"
        )
        counts = {str(day): count for day, count in found}
        assert series["values"] == [counts.get(day, 0) for day in days]
    assert columns[0] == [sum(each) for each in zip(*(series["values"] for series in given["series"]), strict=True)]


@pytest.mark.exhaustive
@ON_SQLITE
def test_progress_is_drawn_as_it_was_sampled(watched: Watched, account: str):
    wanted = "SELECT job_id FROM job_progress_samples GROUP BY job_id ORDER BY COUNT(*) DESC, job_id LIMIT 1"
    (job_id,) = query(account, wanted)[0]
    samples = query(
        account,
        f"SELECT processing_progress, eta_s FROM job_progress_samples WHERE job_id = {job_id} ORDER BY observed_at",
    )
    page = watched.open(f"/jobs/{job_id}")
    assert drawn(page, "progress")[1][0] == pytest.approx([100 * progress for progress, _eta in samples])
    assert drawn(page, "eta")[1][0] == pytest.approx([eta for _progress, eta in samples])


@pytest.mark.exhaustive
@ON_SQLITE
def test_the_overview_lists_the_jobs_in_flight_and_refreshes_itself(watched: Watched, account: str):
    watched.page.clock.install()
    page = watched.open("/")
    assert ids_in_flight(page) == [row[0] for row in query(account, IN_FLIGHT)]
    page.evaluate("document.querySelector('#flight').textContent = 'old'")
    with page.expect_response("**/live"):
        page.clock.fast_forward(5_000)
    page.locator("#flight", has_text="In flight").wait_for()
    assert ids_in_flight(page) == [row[0] for row in query(account, IN_FLIGHT)]


def ids_in_flight(page: Page) -> list[int]:
    return [int(row.get_attribute("data-job") or 0) for row in page.locator("[data-live] tr[data-job]").all()]


@pytest.mark.exhaustive
@ON_SQLITE
def test_the_keyboard_reaches_the_content_first(watched: Watched):
    page = watched.open("/jobs")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.exhaustive
@ON_SQLITE
def test_pages_say_all_without_scripts(browser: Browser, dashboard: str, account: str):
    watched = Watched(browser, dashboard, java_script_enabled=False)
    page = watched.open("/")
    assert ids_in_flight(page) == [row[0] for row in query(account, IN_FLIGHT)]
    assert page.locator("figure:has(#ended) details table tbody tr").count() == 60
    for path in ("/costs", "/operations?from=90d", "/sync"):
        page = watched.open(path)
        assert page.locator("figure table").first.is_visible(), path
        assert not page.locator(".plot").first.is_visible(), path
    watched.context.close()


@ON_SQLITE
def test_a_job_is_found_by_its_name_from_any_page_in_three_actions(watched: Watched, account: str):
    """``/``, its file's name, Enter: then its page is there, with the name as its title."""
    rows = query(account, "SELECT job_id, input_name FROM job_overview WHERE input_name IS NOT NULL")
    names = [name.lower() for _job_id, name in rows]
    job_id, name = next(row for row in rows if sum(row[1].lower() in other for other in names) == 1 and row[0] > 20)
    for path in ("/", "/jobs", f"/jobs/{CORRECTED}", "/costs", "/operations", "/sync", "/sql", "/jobs?q=none"):
        page = watched.open(path)
        page.keyboard.press("/")
        page.keyboard.type(name)
        with page.expect_navigation(url=f"**/jobs/{job_id}"):
            page.keyboard.press("Enter")
        assert page.locator("h1").inner_text() == name
    page.get_by_role("searchbox").first.focus()
    page.keyboard.type("a/b")
    assert page.get_by_role("searchbox").first.input_value() == "a/b", "it is a letter like others where one types"


@ON_SQLITE
def test_from_a_problem_one_key_leads_to_the_command_that_solves_it(watched: Watched):
    """It stands beside the problem, and on the page that the problem leads to."""
    page = watched.open("/")
    problem = page.locator(".needs li", has_text="could not be held")
    assert problem.locator("code").first.inner_text() == "tpmirror quarantine list"
    while not problem.locator("a").evaluate("link => link === document.activeElement"):
        page.keyboard.press("Tab")
    with page.expect_navigation(url="**/sync#quarantine"):
        page.keyboard.press("Enter")
    assert page.locator("code", has_text="tpmirror quarantine").count() > 0


@pytest.mark.exhaustive
@ON_SQLITE
def test_a_time_tells_the_viewers_own(browser: Browser, dashboard: str):
    watched = Watched(browser, dashboard, timezone_id="Asia/Tokyo", locale="en-GB")
    page = watched.open("/jobs/130")
    time = page.locator("main time").first
    time.hover()
    utc, own = (time.get_attribute("title") or "").split("\n")
    assert utc.endswith(" UTC")
    assert "GMT+9" in own
    watched.context.close()
    assert watched.wrong == []


@pytest.mark.exhaustive
@ON_SQLITE
def test_nothing_is_cut_where_there_is_room_and_cards_stand_where_there_is_none(watched: Watched):
    page = watched.open("/jobs")
    for width in (1920, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        box = page.locator(".scroll:has(> .jobs)")
        assert box.evaluate("box => box.scrollWidth - box.clientWidth") == 0, width
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.locator("table.jobs tbody tr").first.evaluate("row => getComputedStyle(row).display") == "grid"
    page = watched.open("/")
    assert page.locator(".verdict").evaluate("box => box.getBoundingClientRect().top") < 200, "it is read first"


@pytest.mark.exhaustive
@ON_SQLITE
def test_what_one_points_at_is_large_enough(watched: Watched):
    """WCAG 2.2, 2.5.8: 24 pixels, but for links within a sentence or a table's text."""
    for path in ("/", "/jobs?status=2&page=2", "/jobs/130"):
        page = watched.open(path)
        small = page.evaluate(
            """() => [...document.querySelectorAll('input, select, button, .chips a, .pager a, nav a, summary')]
                .filter(it => it.offsetParent && Math.min(it.offsetWidth, it.offsetHeight) < 24)
                .map(it => it.outerHTML.slice(0, 120))"""
        )
        assert small == [], path
