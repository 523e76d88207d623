"""Hooks of MkDocs: pages made from files outside docs/, and links between both.

README.md is the home page; CHANGELOG.md, CONTRIBUTING.md and a list of the decisions are pages, too. A link to a file of the repository that has no
page keeps its text and loses its target, because a site may stand where no repository is.
"""

import pathlib
import posixpath
import re

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>[^)#\s:]+)(?P<anchor>#[^)\s]*)?\)")


def list_of_decisions():
    rows = []
    for path in sorted((ROOT / "docs" / "decisions").glob("0*.md")):
        title = path.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
        rows.append(f"- {path.name[:4]} [{title}]({path.name})")
    return "# Decisions\n\nWhat was decided between good alternatives, and why.\n\n" + "\n".join(rows) + "\n"


def page_of(target, place):
    """The page of a link's target as a path below docs/, when the link stands in `place`, a folder of the repository; None without one."""
    path = posixpath.normpath(posixpath.join(place, target))
    if path in PAGES:
        return PAGES[path]
    return path[len("docs/"):] if path.startswith("docs/") and (ROOT / path).exists() else None


def with_site_links(markdown, place, page):
    """Links of a file in the folder `place` of the repository, as links of the page `page` of the site."""

    def replaced(match):
        target = page_of(match["target"], place)
        if target is None:
            return match["text"]
        return f"[{match['text']}]({posixpath.relpath(target, posixpath.dirname(page) or '.')}{match['anchor'] or ''})"

    return LINK.sub(replaced, markdown)


def on_files(files, config):
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8").replace("](docs/images/", "](images/")
        files.append(File.generated(config, page, content=with_site_links(text, "", page)))
    files.append(File.generated(config, "decisions/index.md", content=list_of_decisions()))
    return files


def on_page_markdown(markdown, page, config, files):
    place = posixpath.dirname(page.file.src_uri)
    outside = re.compile(r"\]\((?:\.\./)+[^)]*")
    if page.file.src_uri in (*PAGES.values(), "decisions/index.md") or not outside.search(markdown):
        return markdown
    return with_site_links(markdown, posixpath.join("docs", place), page.file.src_uri)
