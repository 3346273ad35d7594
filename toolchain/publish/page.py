"""The set-up page of a repository, made anew with each publication."""

from toolchain.model.release import Format
from toolchain.plan.client import ClientSetup
from toolchain.publish.channel import Indexes
from toolchain.publish.client import own_templates
from toolchain.publish.offered import releases
from toolchain.publish.state import State
from toolchain.render.page import Offer, Page, page_html, page_text


def stage_page(indexes: Indexes, setup: ClientSetup) -> None:
    """Stage index.html and the same as text; they go last, when all that it names is there."""
    page = Page(
        setup=setup,
        deb=_offer(indexes.state, setup, Format.DEB),
        rpm=_offer(indexes.state, setup, Format.RPM),
        version=_newest(indexes.state, setup),
    )
    html, text = page_html(page, own_templates()), page_text(page, own_templates())
    indexes.staging.write("index.html", html.encode(), switch=indexes.now)
    indexes.staging.write("index.txt", text.encode(), switch=indexes.now)


def _offer(state: State, setup: ClientSetup, format_: Format) -> Offer | None:
    wanted = f"{setup.serial}-1"
    for record in state.packages.named(setup.package):
        if record.file.format is format_ and record.file.version == wanted:
            return Offer(path=record.file.path, sha256=record.file.sha256)
    return None


def _newest(state: State, setup: ClientSetup) -> str | None:
    """The newest release of the first enabled channel, final where there is one."""
    offered = releases(state.channels.members(setup.enabled[0]))
    versions = [one for one in offered if one.stage is None] or list(offered)
    if not versions:
        return None
    newest = offered[versions[-1]]
    return next(
        (one.file.version for one in newest if one.file.name == f"{setup.product}-server"), None
    )
