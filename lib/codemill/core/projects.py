"""What a project says about itself in its files: its home, its tests, its name in one spelling."""

import json
import re
from email.parser import HeaderParser

from packaging.version import InvalidVersion, Version

_TEST_PATH = re.compile(
    r"""(?xi)
    (?:^|/) (?:tests?|specs?|__tests__|testing) /   # a folder of tests
    | (?:^|/) tests?[_.-][^/]*$                      # test_x.py, test-x.js
    | (?:^|/) [^/]*[_.-](?:tests?|spec)\.\w+$        # x_test.go, x.spec.ts
    | (?-i: [a-z0-9]Tests?\.\w+ ) $                    # XTest.java
    """
)
_CODE_HOST = re.compile(
    r"^(?:git\+)?(?:https?|git|ssh)://(?:[^@/]*@)?(?:www\.)?([^/:]+)[/:](.+?)(?:\.git)?/?(?:[#?].*)?$"
)
_URL_LABELS = ("source", "source code", "repository", "code", "github", "homepage", "home")


def is_test(path: str) -> bool:
    """Tell by its path (posix, relative to the project) whether a file is a test."""
    return _TEST_PATH.search(path) is not None


def canonical_name(name: str) -> str:
    """Return a project's name in lower case with runs of -, _ and . as one dash (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def version_rank(version: str | None) -> list[int]:
    """Return six numbers that sort versions from new to old (PEP 440); what is no version comes last."""
    try:
        parsed = Version(version or "")
    except InvalidVersion:
        return [1] * 6
    release = [-min(part, 2**31) for part in parsed.release[:5]]
    return [*release, *[0] * (5 - len(release)), int(parsed.is_prerelease)]


def canonical_url(url: str) -> str | None:
    """Return ``host/owner/name`` for the address of a repository or home page, None for what is no address."""
    found = _CODE_HOST.match(url.strip())
    if found is None:
        return None
    host, path = found.groups()
    return f"{host}/{'/'.join(path.split('/')[:2])}".lower()


def declared_url(path: str, text: str) -> str | None:
    """Read where the project lives from a manifest at its root (PKG-INFO, METADATA, package.json); None if not said."""
    name = path.rsplit("/", 1)[-1]
    if name == "package.json" and "/" not in path:
        return _from_package_json(text)
    if name in ("PKG-INFO", "METADATA") and path.count("/") <= 1:
        return _from_core_metadata(text)
    return None


def _from_package_json(text: str) -> str | None:
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(manifest, dict):
        return None
    repository = manifest.get("repository")
    url = repository.get("url") if isinstance(repository, dict) else repository
    if isinstance(url, str) and re.fullmatch(r"(?:github:)?[\w.-]+/[\w.-]+", url):
        url = f"https://github.com/{url.removeprefix('github:')}"
    for candidate in (url, manifest.get("homepage")):
        if isinstance(candidate, str) and (found := canonical_url(candidate)):
            return found
    return None


def _from_core_metadata(text: str) -> str | None:
    headers = HeaderParser().parsestr(text)
    labelled = {}
    for entry in headers.get_all("Project-URL") or []:
        label, _, url = entry.partition(",")
        labelled[label.strip().lower()] = url
    for candidate in [*(labelled.get(label) for label in _URL_LABELS), headers.get("Home-page")]:
        if candidate and (found := canonical_url(candidate)):
            return found
    return None
