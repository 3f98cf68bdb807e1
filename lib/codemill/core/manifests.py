"""Manifests of packages, read as data: what they say of the licence and of the repository, as they say it.

A manifest is parsed and never run; what is a program (`*.gemspec`) is searched for the few lines that matter. XML is
read without document types, entities and external references. What a licence name means, and where an address leads,
is not decided here.
"""

import configparser
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.parser import HeaderParser
from typing import Any, Literal
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# Characters. Real manifests have thousands; a README in the metadata of a package may add some hundred thousand.
MAX_CHARS = 1_000_000

_METADATA_FOLDER = re.compile(r"[^/]+\.(?:dist-info|egg-info)", re.I)
_URL_LABELS = ("source", "source code", "repository", "code", "github", "gitlab", "homepage", "home", "bug tracker")
_CLASSIFIER = "License :: "


class UnreadableManifest(Exception):  # noqa: N818 - a finding about a file
    """The manifest is not what its name says: no JSON, TOML or XML, or one made to be a burden."""


@dataclass(frozen=True)
class Manifest:
    """What a manifest says, as it says it.

    ``licenses``: names, expressions or whole texts; ``operator`` says how several hold. ``classifiers``: what Python
    packages say besides, without `License ::`. ``license_file``: the licence is in a file, which speaks for itself.
    ``urls``: of the repository or the home page, the likeliest first. ``folder``: of that repository, if it says one.
    """

    licenses: tuple[str, ...] = ()
    operator: Literal["AND", "OR"] = "AND"
    classifiers: tuple[str, ...] = ()
    license_file: bool = False
    urls: tuple[str, ...] = ()
    folder: str | None = None


def is_manifest(path: str) -> bool:
    """Tell by its path (posix, relative to the project) whether a file is a manifest of the whole project."""
    return _reader(path) is not None


def read_manifest(path: str, text: str) -> Manifest:
    """Read the manifest at a path that ``is_manifest``. Raises UnreadableManifest."""
    reader = _reader(path)
    if reader is None:
        raise ValueError(f"{path} is no manifest")
    if len(text) > MAX_CHARS:
        raise UnreadableManifest("too large")
    try:
        return reader(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError, configparser.Error, ParseError, DefusedXmlException) as error:
        raise UnreadableManifest(type(error).__name__) from None


def _reader(path: str) -> Callable[[str], Manifest] | None:
    folder, _, name = path.rpartition("/")
    if folder:
        in_metadata = name in ("METADATA", "PKG-INFO") and _METADATA_FOLDER.fullmatch(folder) is not None
        return _core_metadata if in_metadata else None
    return _BY_NAME.get(name) or _BY_END.get(name[name.rfind(".") :] if "." in name else "")


def _core_metadata(text: str) -> Manifest:
    """Python: PEP 639 over free text; the body, a README, may be as long as it likes."""
    headers = HeaderParser().parsestr(re.split(r"\r?\n\r?\n", text, maxsplit=1)[0])
    labelled: dict[str, str] = {}
    for entry in headers.get_all("Project-URL") or []:
        label, _, url = str(entry).partition(",")
        labelled[label.strip().lower()] = url.strip()
    fields = [str(value) for value in headers.get_all("License-Expression") or headers.get_all("License") or []]
    return Manifest(
        licenses=tuple(re.sub(r"(?m)^[ \t|]+", "", value) for value in fields if value.strip()),
        classifiers=_classifiers(map(str, headers.get_all("Classifier") or [])),
        urls=_labelled(labelled, str(headers.get("Home-page") or "")),
    )


def _labelled(labelled: Mapping[str, str], *others: str) -> tuple[str, ...]:
    return tuple(url for url in (*(labelled.get(label, "") for label in _URL_LABELS), *others) if url)


def _classifiers(lines: Iterable[str]) -> tuple[str, ...]:
    found = (line.strip().removeprefix(_CLASSIFIER) for line in lines if line.strip().startswith(_CLASSIFIER))
    return tuple(line for line in found if line != "OSI Approved")


def _pyproject(text: str) -> Manifest:
    data = tomllib.loads(text)
    project, poetry = _mapping(data, "project"), _mapping(data, "tool", "poetry")
    license_ = project.get("license") or poetry.get("license")
    if isinstance(license_, Mapping):
        license_ = license_.get("text")
    urls = {**_mapping(poetry, "urls"), **_mapping(project, "urls")}
    return Manifest(
        licenses=_texts([license_]),
        classifiers=_classifiers(_texts(project.get("classifiers")) + _texts(poetry.get("classifiers"))),
        urls=_labelled(
            {label.lower(): url for label, url in urls.items() if isinstance(url, str)},
            *_texts([poetry.get("repository"), poetry.get("homepage")]),
        ),
    )


def _setup_cfg(text: str) -> Manifest:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    if not parser.has_section("metadata"):
        return Manifest()
    metadata = {key.replace("-", "_"): value or "" for key, value in parser["metadata"].items()}
    pairs = (line.partition("=") for line in metadata.get("project_urls", "").splitlines())
    labelled = {label.strip().lower(): url.strip() for label, _, url in pairs}
    classifiers = metadata.get("classifiers") or metadata.get("classifier") or ""
    return Manifest(
        licenses=_texts([metadata.get("license_expression") or metadata.get("license")]),
        classifiers=_classifiers(classifiers.splitlines()),
        urls=_labelled(labelled, metadata.get("url", "")),
    )


def _package_json(text: str) -> Manifest:
    data = _object(json.loads(text))
    value = data.get("license") or data.get("licenses")
    entries = value if isinstance(value, list) else [value]
    names = _texts(entry.get("type") or entry.get("name") if isinstance(entry, Mapping) else entry for entry in entries)
    said = tuple(name for name in names if not re.match(r"see licen[cs]e", name.strip(), re.I))
    repository = data.get("repository")
    folder = repository.get("directory") if isinstance(repository, Mapping) else None
    url = repository.get("url") if isinstance(repository, Mapping) else repository
    if isinstance(url, str) and re.fullmatch(r"[\w.-]+/[\w.-]+", url):
        url = f"github:{url}"
    return Manifest(
        licenses=tuple("LicenseRef-proprietary" if name.upper() == "UNLICENSED" else name for name in said),
        operator="OR",
        license_file=len(said) < len(names),
        urls=_texts([url, data.get("homepage")]),
        folder=folder.strip("./") or None if isinstance(folder, str) else None,
    )


def _composer(text: str) -> Manifest:
    data = _object(json.loads(text))
    value = data.get("license")
    names = _texts(value if isinstance(value, list) else [value])
    return Manifest(
        licenses=tuple("LicenseRef-proprietary" if name.lower() == "proprietary" else name for name in names),
        operator="OR",
        urls=_texts([_mapping(data, "support").get("source"), data.get("homepage")]),
    )


def _cargo(text: str) -> Manifest:
    data = tomllib.loads(text)
    package = {**_mapping(data, "workspace", "package"), **_mapping(data, "package")}
    inherited = _mapping(data, "workspace", "package")
    of = {key: package[key] if isinstance(package.get(key), str) else inherited.get(key) for key in _CARGO}
    license_ = of["license"]
    return Manifest(
        licenses=_texts([license_.replace("/", " OR ") if isinstance(license_, str) else None]),
        license_file=isinstance(of["license-file"], str),
        urls=_texts([of["repository"], of["homepage"]]),
    )


_CARGO = ("license", "license-file", "repository", "homepage")


def _pom(text: str) -> Manifest:
    """Maven: of several licences the user may choose any (POM reference, "Licenses")."""
    root = fromstring(text, forbid_dtd=True)
    names = [
        _text_of(entry, "name") or _text_of(entry, "url")
        for licenses in _children(root, "licenses")
        for entry in _children(licenses, "license")
    ]
    scm = next(iter(_children(root, "scm")), None)
    urls = [] if scm is None else [_text_of(scm, tag) for tag in ("url", "connection", "developerConnection")]
    return Manifest(licenses=_texts(names), operator="OR", urls=_texts([*urls, _text_of(root, "url")]))


def _nuspec(text: str) -> Manifest:
    root = fromstring(text, forbid_dtd=True)
    metadata = next(iter(_children(root, "metadata")), root)
    license_ = next(iter(_children(metadata, "license")), None)
    is_file = license_ is not None and license_.get("type") == "file"
    name = (license_.text or "") if license_ is not None and not is_file else _text_of(metadata, "licenseUrl")
    repository = next(iter(_children(metadata, "repository")), None)
    url = repository.get("url") if repository is not None else None
    # NuGet's own pages for licences in files say nothing.
    names = () if is_file or name.startswith("https://aka.ms/") else _texts([name])
    return Manifest(licenses=names, license_file=is_file, urls=_texts([url, _text_of(metadata, "projectUrl")]))


def _children(element: Element, name: str) -> list[Element]:
    return [child for child in element if isinstance(child.tag, str) and child.tag.rpartition("}")[2] == name]


def _text_of(element: Element, name: str) -> str:
    found = next(iter(_children(element, name)), None)
    return (found.text or "").strip() if found is not None else ""


_QUOTED = re.compile(r"[\"']([^\"'\n]{1,200})[\"']")
_GEM_LICENSE = re.compile(r"^\s*\w+\.licen[sc]es?\s*=\s*([^\n#]{1,500})", re.M)
_GEM_URL = re.compile(
    r"(?:metadata\[\s*[\"'](?:source_code_uri|homepage_uri)[\"']\s*\]|^\s*\w+\.homepage)\s*=\s*[\"']([^\"'\n]{1,200})",
    re.M,
)
_WORDS = re.compile(r"%w[\[({<]([^\])}>\n]{1,300})")


def _gemspec(text: str) -> Manifest:
    said = " ".join(_GEM_LICENSE.findall(text))
    names = _QUOTED.findall(said) + " ".join(_WORDS.findall(said)).split()
    return Manifest(licenses=_texts(names), urls=tuple(sorted(_GEM_URL.findall(text), key=len, reverse=True)))


def _debian_like(text: str) -> dict[str, str]:
    """Return the fields of `Name: value` lines, continued by indented ones; names in lower case."""
    fields: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line[:1] in (" ", "\t") and name:
            fields[name] += "\n" + line.strip()
        elif found := re.match(r"([A-Za-z][\w@./-]{0,60})[ \t]*:(.*)", line):
            name = found[1].lower()
            fields.setdefault(name, found[2].strip())
    return fields


def _description(text: str) -> Manifest:
    """R: alternatives are parted by |, and `+ file LICENSE` adds terms or holders (Writing R Extensions, 1.1.2)."""
    fields = _debian_like(text)
    whole = re.sub(r"\(\s*>=?\s*([\d.]+)\s*\)", r"\1 or later", fields.get("license", ""))
    choices = [choice.partition("+")[0].strip() for choice in whole.split("|")]
    said = [choice for choice in choices if not re.match(r"file\s+licen[cs]e", choice, re.I)]
    urls = re.findall(r"[^\s,<>]+", f"{fields.get('url', '')} {fields.get('bugreports', '')}")
    return Manifest(licenses=_texts(said), operator="OR", license_file=len(said) < len(choices), urls=tuple(urls))


def _cabal(text: str) -> Manifest:
    fields = _debian_like(text)
    license_ = fields.get("license", "")
    location = re.search(r"^[ \t]+location[ \t]*:[ \t]*(\S+)", text, re.M | re.I)
    return Manifest(
        licenses=_texts(["LicenseRef-proprietary" if license_ == "AllRightsReserved" else license_]),
        license_file="license-file" in fields,
        urls=_texts([location[1] if location else None, fields.get("homepage")]),
    )


def _go_mod(text: str) -> Manifest:
    module = re.search(r"^module[ \t]+\"?([^\s\"]+)", text, re.M)
    return Manifest(urls=(f"https://{module[1]}",) if module else ())


def _object(data: Any) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise ValueError("no object")  # noqa: TRY004 - one kind of error for a bad manifest
    return data


def _mapping(data: Any, *keys: str) -> Mapping[str, Any]:
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def _texts(values: Any) -> tuple[str, ...]:
    """Return the strings among values that say something; nothing for what is no list."""
    if values is None or isinstance(values, str | Mapping):
        return ()
    return tuple(value.strip() for value in values if isinstance(value, str) and value.strip())


_BY_NAME: dict[str, Callable[[str], Manifest]] = {
    "PKG-INFO": _core_metadata,
    "pyproject.toml": _pyproject,
    "setup.cfg": _setup_cfg,
    "package.json": _package_json,
    "composer.json": _composer,
    "Cargo.toml": _cargo,
    "pom.xml": _pom,
    "DESCRIPTION": _description,
    "go.mod": _go_mod,
}
_BY_END: dict[str, Callable[[str], Manifest]] = {
    ".pom": _pom,
    ".nuspec": _nuspec,
    ".gemspec": _gemspec,
    ".cabal": _cabal,
}
