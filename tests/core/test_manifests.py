"""What manifests declare, in the forms of their ecosystems."""

import contextlib
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from identify.vendor.licenses import LICENSES

from codemill.core.licenses import LicenseTable
from codemill.core.licenses.manifests import declared
from codemill.core.manifests import UnreadableManifest, read_manifest

TABLE = LicenseTable.from_mapping(yaml.safe_load(Path("conf/licenses.yaml").read_text(encoding="utf-8")))
TEXTS = dict(LICENSES)
UNKNOWN = "a licence that is not known"
POM = "<project xmlns='http://maven.apache.org/POM/4.0.0'><licenses>{}</licenses></project>"
NUSPEC = "<package xmlns='http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd'><metadata>{}</metadata></package>"


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("PKG-INFO", "Name: a\nLicense-Expression: MIT or apache-2.0\nLicense: GPL\n", "MIT OR Apache-2.0"),
        ("PKG-INFO", "Name: a\nLicense: MIT License\n\nLicense: GPL\n", "MIT"),
        ("PKG-INFO", "License: see file\nClassifier: License :: OSI Approved :: BSD License\n", "BSD-3-Clause"),
        ("PKG-INFO", "License: UNKNOWN\nClassifier: License :: OSI Approved\n", None),
        (
            "PKG-INFO",
            "License: MIT\nClassifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)\n",
            "GPL-3.0-only",
        ),
        ("PKG-INFO", "License: " + TEXTS["ISC"].replace("\n", "\n        ") + "\nName: a\n", "ISC"),
        ("a-1.dist-info/METADATA", "License: Apache 2.0\n", "Apache-2.0"),
        ("pyproject.toml", '[project]\nlicense = "BSD-2-Clause"\n', "BSD-2-Clause"),
        ("pyproject.toml", '[project]\nlicense = {text = "Apache Software License 2.0"}\n', "Apache-2.0"),
        ("pyproject.toml", '[project]\nlicense = {file = "LICENSE"}\n', None),
        ("pyproject.toml", '[tool.poetry]\nlicense = "LGPLv3+"\n', "LGPL-3.0-or-later"),
        ("setup.cfg", "[metadata]\nlicense = New BSD License\n", "BSD-3-Clause"),
        ("setup.cfg", "[metadata]\nclassifiers =\n  License :: OSI Approved :: MIT License\n", "MIT"),
        ("setup.cfg", "[wheel]\nuniversal = 1\n", None),
        ("package.json", '{"license": "(MIT OR GPL-2.0)"}', "MIT OR GPL-2.0-only"),
        ("package.json", '{"license": {"type": "MIT", "url": "x"}}', "MIT"),
        ("package.json", '{"licenses": [{"type": "MIT"}, {"type": "Apache-2.0"}]}', "Apache-2.0 OR MIT"),
        ("package.json", '{"license": "SEE LICENSE IN eula.txt"}', None),
        ("package.json", '{"license": "UNLICENSED"}', "LicenseRef-proprietary"),
        ("package.json", '{"license": 7}', None),
        ("Cargo.toml", '[package]\nlicense = "MIT/Apache-2.0"\n', "MIT OR Apache-2.0"),
        ("Cargo.toml", "[package]\nlicense.workspace = true\n", None),
        ("Cargo.toml", '[workspace.package]\nlicense = "MPL-2.0"\n', "MPL-2.0"),
        ("Cargo.toml", '[package]\nlicense-file = "LICENSE"\n', None),
        ("PKG-INFO", "License: Jane's own\n", UNKNOWN),
        ("package.json", '{"license": "Jane\'s own"}', UNKNOWN),
        ("package.json", '{"licenses": [{"type": "MIT"}, {"type": "Jane"}]}', "MIT"),
        ("composer.json", '{"license": ["LGPL-2.1-only", "GPL-3.0-or-later"]}', "GPL-3.0-or-later OR LGPL-2.1-only"),
        ("composer.json", '{"license": "proprietary"}', "LicenseRef-proprietary"),
        ("composer.json", '{"license": "(MIT or Apache-2.0)"}', "MIT OR Apache-2.0"),
        (
            "pom.xml",
            POM.format("<license><name>The Apache Software License, Version 2.0</name></license>"),
            "Apache-2.0",
        ),
        (
            "pom.xml",
            POM.format("<license><name>EPL 1.0</name></license><license><name>LGPL 2.1</name></license>"),
            "EPL-1.0 OR LGPL-2.1-only",
        ),
        (
            "pom.xml",
            POM.format("<license><url>https://www.apache.org/licenses/LICENSE-2.0.txt</url></license>"),
            "Apache-2.0",
        ),
        ("pom.xml", POM.format(""), None),
        ("x.gemspec", 'Gem::Specification.new do |s|\n  s.license = "MIT"\nend\n', "MIT"),
        ("x.gemspec", "  spec.licenses = ['Ruby', 'BSD-2-Clause'].freeze\n", "BSD-2-Clause AND Ruby"),
        ("x.gemspec", "  gem.licenses = %w[MIT]\n", "MIT"),
        ("x.gemspec", "# s.license = 'GPL-3.0'\ns.name = 'x'\n", None),
        ("DESCRIPTION", "Package: x\nLicense: GPL (>= 2)\n", "GPL-2.0-or-later"),
        ("DESCRIPTION", "Package: x\nLicense: GPL-2 | GPL-3\n", "GPL-2.0-only OR GPL-3.0-only"),
        ("DESCRIPTION", "Package: x\nLicense: MIT + file LICENSE\n", "MIT"),
        ("DESCRIPTION", "Package: x\nLicense: LGPL (>= 2.1) | file LICENCE\n", "LGPL-2.1-or-later"),
        ("DESCRIPTION", "Package: x\nLicense: file LICENSE\n", None),
        ("x.cabal", "name: x\nlicense:  BSD3\nlicense-file: LICENSE\n", "BSD-3-Clause"),
        ("x.cabal", "name: x\nLicense: AllRightsReserved\n", "LicenseRef-proprietary"),
        ("x.nuspec", NUSPEC.format('<license type="expression">MIT OR Apache-2.0</license>'), "MIT OR Apache-2.0"),
        ("x.nuspec", NUSPEC.format('<license type="file">LICENSE.txt</license>'), None),
        ("x.nuspec", NUSPEC.format("<licenseUrl>https://opensource.org/licenses/MIT</licenseUrl>"), "MIT"),
        ("go.mod", "module github.com/a/b\n", None),
    ],
)
def test_declared(path, text, expected):
    found = declared(read_manifest(path, text), TABLE)
    assert (None if found is None else found.expression or UNKNOWN) == expected


BOMB = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<project><licenses><license><name>&b;</name></license></licenses></project>"""


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("package.json", "not json"),
        ("package.json", "[1]"),
        ("package.json", "[" * 100_000),
        ("composer.json", '{"license": '),
        ("Cargo.toml", "license = "),
        ("pyproject.toml", "not toml"),
        ("setup.cfg", "no section\n"),
        ("pom.xml", "<project>"),
        ("pom.xml", BOMB),
        ("pom.xml", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><project>&e;</project>'),
        ("x.nuspec", ""),
        ("PKG-INFO", "License: MIT\n" + "x" * 1_000_001),
    ],
)
def test_what_is_no_manifest_says_so_and_no_more(path, text):
    with pytest.raises(UnreadableManifest) as caught:
        read_manifest(path, text)
    assert len(str(caught.value)) < 40


def test_xml_of_any_depth_is_read():
    assert read_manifest("pom.xml", "<a>" * 100_000 + "</a>" * 100_000).licenses == ()


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(
        [
            "PKG-INFO",
            "pyproject.toml",
            "setup.cfg",
            "package.json",
            "Cargo.toml",
            "pom.xml",
            "x.gemspec",
            "composer.json",
            "DESCRIPTION",
            "x.cabal",
            "x.nuspec",
            "go.mod",
        ]
    ),
    st.text(max_size=200),
)
def test_a_manifest_can_be_read_or_it_cannot(path, text):
    with contextlib.suppress(UnreadableManifest):
        declared(read_manifest(path, text), TABLE)
