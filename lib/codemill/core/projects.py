"""What a project is called and where it lives, in one spelling."""

import re
from typing import NamedTuple

from packaging.version import InvalidVersion, Version

from codemill.core.manifests import UnreadableManifest, is_manifest, read_manifest

_SCHEME = re.compile(r"(?:git\+)?(https?|git|ssh|svn|hg)://(?:[^@/]*@)?(?:www\.)?([\w.-]+)(?::\d+)?/(.*)", re.S)
_SCP = re.compile(r"(?:[\w.-]+@)?([\w-]+(?:\.[\w-]+)+):(?!//)(.*)", re.S)
_SHORT = re.compile(r"(github|gitlab|bitbucket):([^/]+/[^/]+)")
_SHORT_HOSTS = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
# Hosts on which a repository is owner/name, whatever follows.
_OWNER_NAME = frozenset(
    {"github.com", "bitbucket.org", "codeberg.org", "gitee.com", "git.sr.ht", "notabug.org", "gitea.com"}
)
_NO_OWNERS = frozenset({"sponsors", "orgs", "topics", "features", "marketplace", "apps", "users", "settings"})
_VERSION_END = re.compile(r"[-@](?=v?\d+\.\d)")
_MAX_VERSION = 64
_FOLDER = re.compile(r"(?:-/)?(?:tree|blob|src)/[^/]+/(.+)")


class Home(NamedTuple):
    """Where a project lives: a repository, as ``canonical_url`` writes it, and the folder in it (None: all of it)."""

    url: str
    folder: str | None


def canonical_name(name: str) -> str:
    """Return a project's name in lower case with runs of -, _ and . as one dash (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def split_version(name: str) -> tuple[str, str | None]:
    """Split a name that ends in a version, ``foo-1.2.3`` or ``foo@v1.2``, into the name and the version, else None.

    The version is the longest end that PEP 440 takes for one and that has a dot: ``exercise-1`` is a name.
    """
    for end in _VERSION_END.finditer(name, max(1, len(name) - _MAX_VERSION)):
        version = name[end.end() :]
        if _parsed(version) is not None:
            return name[: end.start()], version
    return name, None


def version_rank(version: str | None) -> list[int]:
    """Return six numbers that sort versions from new to old (PEP 440); what is no version comes last."""
    parsed = _parsed(version or "")
    if parsed is None:
        return [1] * 6
    release = [-min(part, 2**31) for part in parsed.release[:5]]
    return [*release, *[0] * (5 - len(release)), int(parsed.is_prerelease)]


def _parsed(version: str) -> Version | None:
    try:
        return Version(version)
    except InvalidVersion:
        return None


def canonical_url(url: str) -> str | None:
    """Return ``host/owner/name``, in lower case, for the address of a repository; None for any other address.

    Whatever form the address has (https, ssh, scp, ``git+``, ``scm:git:``, a page below the repository) and whoever's
    name and password are in it. On hosts that nest groups (GitLab) all groups stay.
    """
    found = _taken_apart(url)
    return None if found is None else found[0]


def _taken_apart(url: str) -> tuple[str, str] | None:
    """Return the repository and the rest of the path."""
    url = re.sub(r"^(?:scm:)?(?:git|svn|hg):(?!//)", "", url.strip())
    if short := _SHORT.fullmatch(url):
        url = f"https://{_SHORT_HOSTS[short[1]]}/{short[2]}"
    found = _SCHEME.fullmatch(url)
    if found is not None:
        scheme, host, path = found.groups()
    elif (scp := _SCP.fullmatch(url)) is not None:
        scheme, host, path = "ssh", *scp.groups()
    else:
        return None
    path = re.split(r"[?#]", path, maxsplit=1)[0]
    return _repository(host.lower(), [part for part in path.split("/") if part], scheme)


def _repository(host: str, parts: list[str], scheme: str) -> tuple[str, str] | None:
    if host in _OWNER_NAME:
        n = 2
    elif host == "sourceforge.net" and parts[:1] in (["projects"], ["p"]):
        return (f"{host}/{parts[1].lower()}", "") if len(parts) > 1 else None
    elif host.endswith((".sourceforge.net", ".sourceforge.io")) and host.partition(".")[0] not in ("git", "svn"):
        return f"sourceforge.net/{host.partition('.')[0]}", ""
    elif host.startswith(("gitlab", "git.", "code.", "salsa.")) or scheme in ("ssh", "git") or _ends_in_git(parts):
        ends = [i for i, part in enumerate(parts) if part in ("-", "tree", "blob") or part.endswith(".git")]
        n = min((i + 1 if parts[i].endswith(".git") else i for i in ends), default=len(parts))
    else:
        return None
    if n < 2 or len(parts) < 2 or parts[0].lower() in _NO_OWNERS:
        return None
    name = "/".join(parts[:n]).removesuffix(".git")
    return f"{host}/{name}".lower(), "/".join(parts[n:])


def _ends_in_git(parts: list[str]) -> bool:
    return bool(parts) and parts[-1].endswith(".git")


def declared_home(path: str, text: str) -> Home | None:
    """Return the repository that a manifest names; None for other files, and where none is named."""
    if not is_manifest(path):
        return None
    try:
        manifest = read_manifest(path, text)
    except UnreadableManifest:
        return None
    for url in manifest.urls:
        if (found := _taken_apart(url)) is not None:
            folder = _FOLDER.fullmatch(found[1])
            return Home(found[0], manifest.folder or (folder[1].rstrip("/") if folder else None))
    return None
