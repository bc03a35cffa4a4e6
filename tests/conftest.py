"""What several test modules share: settings, a scripted HTTPS host, and a running twin of Entra ID.

No example of hypothesis has a deadline, since a busy machine is no failure. Where AWSFED_NO_SKIP is set, a test that
is skipped has failed: what it needs is to be installed there.
"""

import os
import shutil

import pytest
import scripted
import twin as twins
from hypothesis import settings

settings.register_profile("awsfed", deadline=None)
settings.load_profile("awsfed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Call a skipped test a failed one where nothing may be skipped."""
    report = yield
    if report.skipped and os.environ.get("AWSFED_NO_SKIP"):
        report.outcome, report.longrepr = "failed", f"AWSFED_NO_SKIP is set, and {item.nodeid} was skipped: {call.excinfo.value}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Call a module that is skipped as a whole a failed one, alike."""
    report = yield
    if report.skipped and os.environ.get("AWSFED_NO_SKIP"):
        report.outcome, report.longrepr = "failed", f"AWSFED_NO_SKIP is set, and {collector.nodeid} was skipped"
    return report


@pytest.fixture(scope="module")
def browser():
    """Open the Chromium of this machine, for one module: its event loop must not run in others. Without one the test is skipped."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as opened:
        yield opened


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Serve whatever a test scripts, over HTTPS with a certificate of its own authority."""
    with scripted.serve(tmp_path_factory.mktemp("ca")) as server:
        yield server


@pytest.fixture
def server(served):
    """Give the scripted host, with nothing asked yet."""
    served.asked.clear()
    return served


@pytest.fixture
def hours():
    """Give a clock that passes only when somebody waits."""
    return scripted.Hours()


@pytest.fixture(scope="module")
def served_twin(tmp_path_factory):
    """Serve the twin of Entra ID over HTTPS."""
    with twins.running(tmp_path_factory.mktemp("twin")) as running:
        yield running


@pytest.fixture
def twin(served_twin):
    """Give the twin as its world describes it, without faults."""
    served_twin.faults.clear()
    served_twin.tenant.reset()
    return served_twin


@pytest.fixture(scope="session")
def azurite(tmp_path_factory):
    """Run Microsoft's emulator of Blob Storage; without it the test is skipped."""
    import azurite as emulator

    with emulator.running(tmp_path_factory.mktemp("azurite")) as running:
        yield running
