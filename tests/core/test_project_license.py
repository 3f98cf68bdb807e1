"""What the files of a project say about its licence, and what they say together."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from identify.vendor.licenses import LICENSES

from codemill.core.licenses import (
    Evidence,
    LicenseTable,
    combine,
    evidence_kind,
    license_folder,
    platform_evidence,
    read_evidence,
)
from codemill.core.manifests import UnreadableManifest

TABLE = LicenseTable.from_mapping(yaml.safe_load(Path("conf/licenses.yaml").read_text(encoding="utf-8")))
TEXTS = dict(LICENSES)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("LICENSE", "license_text"),
        ("LICENCE.txt", "license_text"),
        ("LICENSE-MIT", "license_text"),
        ("MIT-LICENSE.txt", "license_text"),
        ("COPYING.LESSER", "license_text"),
        ("COPYING3", "license_text"),
        ("license.md", "license_text"),
        ("UNLICENSE", "license_text"),
        ("lib/COPYING", "license_text"),
        ("LICENSES/Apache-2.0.txt", "license_text"),
        ("x-1.0.dist-info/licenses/LICENSE", "license_text"),
        ("a/b/LICENSE", None),
        ("LICENSE-3RD-PARTY.txt", None),
        ("NOTICE", None),
        ("license.py", None),
        ("licensed.txt", None),
        ("PKG-INFO", "manifest"),
        ("x-1.0.dist-info/METADATA", "manifest"),
        ("package.json", "manifest"),
        ("Cargo.toml", "manifest"),
        ("crates/a/Cargo.toml", None),
        ("METADATA", None),
        ("README.md", "readme"),
        ("README", "readme"),
        ("docs/README.md", None),
        ("README.de.md", None),
        ("pom.xml", "manifest"),
        ("x.gemspec", "manifest"),
        ("lib/x.gemspec", None),
    ],
)
def test_evidence_kind(path, expected):
    assert evidence_kind(path) == expected


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("LICENSE", None),
        ("src/LICENSE", "src"),
        ("vendor/zlib/COPYING", "vendor/zlib"),
        ("packages/a/LICENSE.md", "packages/a"),
        ("LICENSES/MIT.txt", None),
        ("third_party_licenses/LICENSE", None),
        ("legal/LICENSE-x", None),
        ("META-INF/LICENSE", None),
        ("x.dist-info/licenses/LICENSE", None),
        ("src/license.py", None),
    ],
)
def test_license_folder(path, folder):
    assert license_folder(path) == folder


def text_of(path, spdx):
    return Evidence(path, "license_text", spdx, 1.0 if spdx else 0.1)


def manifest(spdx, path="PKG-INFO"):
    return Evidence(path, "manifest", spdx, 1.0)


def readme(spdx):
    return Evidence("README.md", "readme", spdx, 1.0)


def platform(spdx):
    return Evidence("", "platform", spdx, 1.0)


@pytest.mark.parametrize(
    ("evidence", "expression", "license_class"),
    [
        ([], None, "none"),
        ([manifest("MIT")], "MIT", "permissive"),
        ([manifest("MIT"), manifest("ISC", "setup.cfg")], "ISC AND MIT", "permissive"),
        ([text_of("LICENSE", "MIT")], "MIT", "permissive"),
        ([text_of("LICENSE", None)], None, "unknown"),
        ([text_of("LICENSE", None), manifest("MIT")], "MIT", "unknown"),
        ([text_of("LICENSE", "MIT"), text_of("COPYING", None)], "MIT", "unknown"),
        ([text_of("LICENSE", "GPL-3.0-only"), manifest("MIT")], "GPL-3.0-only", "strong_copyleft"),
        ([text_of("LICENSE", "MIT"), manifest("GPL-3.0-only")], "GPL-3.0-only AND MIT", "strong_copyleft"),
        ([text_of("LICENSE", "GPL-3.0-only"), manifest("GPL-3.0-or-later")], "GPL-3.0-or-later", "strong_copyleft"),
        ([text_of("LICENSE", "BSD-2-Clause"), manifest("BSD-3-Clause")], "BSD-2-Clause", "permissive"),
        ([text_of("LICENSE-MIT", "MIT"), text_of("LICENSE-APACHE", "Apache-2.0")], "Apache-2.0 AND MIT", "permissive"),
        (
            [
                text_of("LICENSE-MIT", "MIT"),
                text_of("LICENSE-GPL", "GPL-2.0-only"),
                manifest("MIT OR GPL-2.0-or-later"),
            ],
            "MIT OR GPL-2.0-or-later",
            "permissive",
        ),
        (
            [text_of("COPYING", "GPL-3.0-only"), text_of("COPYING.LESSER", "LGPL-3.0-only")],
            "LGPL-3.0-only",
            "weak_copyleft",
        ),
        ([text_of("LICENSE", "MIT"), text_of("vendor/COPYING", "GPL-2.0-only")], "MIT", "permissive"),
        ([text_of("META-INF/LICENSE", "MIT"), text_of("docs/LICENSE", None)], "MIT", "permissive"),
        ([manifest(None)], None, "unknown"),
        ([manifest(None), text_of("LICENSE", "MIT")], "MIT", "permissive"),
        ([readme("MIT")], "MIT", "permissive"),
        ([readme("MIT"), platform("ISC")], "MIT", "permissive"),
        ([platform("ISC")], "ISC", "permissive"),
        ([platform(None)], None, "unknown"),
        ([readme("MIT"), text_of("LICENSE", "ISC")], "ISC", "permissive"),
        ([readme("GPL-3.0-only"), text_of("LICENSE", "ISC")], "GPL-3.0-only AND ISC", "strong_copyleft"),
        ([platform("GPL-3.0-only"), manifest("MIT")], "GPL-3.0-only AND MIT", "strong_copyleft"),
        ([platform("MIT"), text_of("LICENSE", "GPL-3.0-only")], "GPL-3.0-only", "strong_copyleft"),
    ],
)
def test_combine(evidence, expression, license_class):
    result = combine(evidence, TABLE)
    assert (result.expression, result.license_class) == (expression, license_class)
    assert set(result.evidence) == set(evidence)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.builds(
            Evidence,
            st.sampled_from(["LICENSE", "COPYING", "docs/LICENSE", "PKG-INFO"]),
            st.sampled_from(["license_text", "manifest"]),
            st.sampled_from(["MIT", "GPL-2.0-only", "MPL-2.0 OR MIT", "LicenseRef-x", None]),
            st.just(1.0),
        ),
        max_size=5,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_evidence_does_not_matter(evidence, random):
    shuffled = evidence.copy()
    random.shuffle(shuffled)
    assert combine(shuffled, TABLE) == combine(evidence, TABLE)


def test_read_evidence_of_a_file():
    assert read_evidence("LICENSE", TEXTS["MIT"], TABLE) == Evidence("LICENSE", "license_text", "MIT", 1.0)
    assert read_evidence("LICENSE", "Mine, all mine.", TABLE) == Evidence("LICENSE", "license_text", None, 0.0)
    assert read_evidence("package.json", '{"license": "ISC"}', TABLE) == Evidence(
        "package.json", "manifest", "ISC", 1.0
    )
    assert read_evidence("package.json", "{}", TABLE) is None
    assert read_evidence("LICENSE", "See LICENSE.txt and COPYING.txt", TABLE) is None
    assert read_evidence("LICENSE", " \n", TABLE) is None
    assert read_evidence("main.py", "License: MIT", TABLE) is None


def test_a_manifest_that_cannot_be_read_says_so():
    with pytest.raises(UnreadableManifest):
        read_evidence("package.json", "{", TABLE)


def test_a_licence_in_a_sub_folder_can_be_read():
    assert read_evidence("a/b/LICENSE", TEXTS["MIT"], TABLE) == Evidence("a/b/LICENSE", "license_text", "MIT", 1.0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("mit", Evidence("", "platform", "MIT", 1.0)),
        ("Apache-2.0 AND MIT", Evidence("", "platform", "Apache-2.0 AND MIT", 1.0)),
        ("other", Evidence("", "platform", None, 1.0)),
        ("NOASSERTION", None),
        (" ", None),
    ],
)
def test_what_a_platform_says(value, expected):
    assert platform_evidence(value, TABLE) == expected


@pytest.mark.parametrize(
    ("readme", "expected"),
    [
        ("# Tool\n\nIt is good.\n\n## License\n\nMIT\n", "MIT"),
        ("## License\n\nMIT © [Jane Doe](https://jane.example)\n", "MIT"),
        ("## 📄 License\n\nThis project is licensed under the MIT License - see the LICENSE file.\n", "MIT"),
        ("Tool\n====\n\nLicense\n-------\n\nReleased under the GPLv3.\n", "GPL-3.0-only"),
        ("Licence\n^^^^^^^\nDistributed under the terms of the Apache License, Version 2.0.\n", "Apache-2.0"),
        ("<h2>License</h2>\n<p>" + TEXTS["ISC"] + "</p>", "ISC"),
        ("== License\n\nLicensed under https://mozilla.org/MPL/2.0/[MPL-2.0].\n", "MPL-2.0"),
        ("## Copyright and license\n\nCode released under the [MIT License](LICENSE).\n", "MIT"),
        ("## License\n\n[BSD-3-Clause](LICENSE)\n\n## Thanks\n\nTo the GPL.\n", "BSD-3-Clause"),
        ("## License\n\nSee [LICENSE](LICENSE).\n", None),
        ("## License\n\nAsk Jane.\n", None),
        ("## License\n\nLicensed under the MIT License for personal use only.\n", None),
        ("## License\n\nLicensed under the Boost Software License for personal use only.\n", None),
        ("## License\n\nMIT\n\n" + TEXTS["MIT"] + "\nStudents must ask.\n", None),
        ("## License\n\nReleased under the MIT license. For commercial support, write to Jane.\n", "MIT"),
        ("# Tool\n\nWe like the MIT license.\n", None),
        ("# License checker\n\nMIT\n", None),
        ("", None),
        ("# License\n" * 20_000, None),
    ],
)
def test_what_a_readme_says(readme, expected):
    found = read_evidence("README.md", readme, TABLE)
    assert (None if found is None else found.expression) == expected
