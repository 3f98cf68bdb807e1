"""What source files say of their own licence."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from identify.vendor.licenses import LICENSES

from codemill.core.languages import LanguageTable
from codemill.core.licenses import LicenseTable, file_license

TABLE = LicenseTable.from_mapping(yaml.safe_load(Path("conf/licenses.yaml").read_text(encoding="utf-8")))
LANGUAGES = LanguageTable.from_mapping(yaml.safe_load(Path("conf/languages.yaml").read_text(encoding="utf-8")))
TEXTS = dict(LICENSES)
UNKNOWN = "a licence that is not known"

GPL = """This program is free software; you can redistribute it and/or modify it
under the terms of the GNU General Public License as published by the Free
Software Foundation; either version 2 of the License, or (at your option) any
later version.

This program is distributed in the hope that it will be useful, but WITHOUT
ANY WARRANTY; without even the implied warranty of MERCHANTABILITY or FITNESS
FOR A PARTICULAR PURPOSE. See the GNU General Public License for more details.
"""
LGPL = GPL.replace("GNU General", "GNU Lesser General").replace("version 2 of", "version 2.1 of")
CLASSPATH = """DO NOT ALTER OR REMOVE COPYRIGHT NOTICES OR THIS FILE HEADER.

This code is free software; you can redistribute it and/or modify it
under the terms of the GNU General Public License version 2 only, as
published by the Free Software Foundation. Oracle designates this
particular file as subject to the "Classpath" exception.
"""


def says(language: str, text: str) -> str | None:
    found = file_license(text, LANGUAGES[language], TABLE)
    return None if found is None else found.expression or UNKNOWN


def lines(marker: str, text: str) -> str:
    return "".join(f"{marker} {line}\n" for line in text.splitlines())


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("c", "/* SPDX-License-Identifier: GPL-2.0 */\nint x;\n", "GPL-2.0-only"),
        ("c", "// SPDX-License-Identifier: (GPL-2.0-only OR MIT)\n", "GPL-2.0-only OR MIT"),
        ("python", "#!/usr/bin/env python\n# SPDX-License-Identifier: AGPL-3.0-or-later\n", "AGPL-3.0-or-later"),
        ("html", "<!-- SPDX-License-Identifier: Apache-2.0 -->\n", "Apache-2.0"),
        ("c", "// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception.\n", "Apache-2.0 WITH LLVM-exception"),
        ("python", "# SPDX-License-Identifier: MIT\n# SPDX-License-Identifier: MPL-2.0\n", "MIT AND MPL-2.0"),
        ("python", "# SPDX-License-Identifier: Jane's own\n", UNKNOWN),
        ("python", 'TAG = "SPDX-License-Identifier: GPL-2.0"\n', None),
        (
            "python",
            "# SPDX-License-Identifier: MIT\n"
            "# REUSE-IgnoreStart\n# SPDX-License-Identifier: GPL-2.0\n# REUSE-IgnoreEnd\n",
            "MIT",
        ),
    ],
)
def test_identifiers(language: str, text: str, expected: str | None) -> None:
    assert says(language, text) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("c", f"/*\n{GPL}*/\nint x;\n", "GPL-2.0-or-later"),
        ("python", lines("#", GPL), "GPL-2.0-or-later"),
        ("sql", lines("--", LGPL), "LGPL-2.1-or-later"),
        ("java", f"/*\n{lines(' *', CLASSPATH)} */\npackage x;\n", "GPL-2.0-only"),
        ("c", f"#ifndef X_H\n#define X_H\n/*\n{GPL}*/\n", "GPL-2.0-or-later"),
        ("javascript", f"/*!\n{TEXTS['MIT']}\n*/\n", "MIT"),
        ("go", lines("//", TEXTS["BSD-3-Clause"]), "BSD-3-Clause"),
        ("python", f'"""A module.\n\n{GPL}"""\n', "GPL-2.0-or-later"),
        ("c", "/* This file is distributed under the GPL, version 2 or later. */\n", "GPL-2.0-or-later"),
        ("c", "/* Released under the terms of the GNU GPL v2. */\n", "GPL-2.0-only"),
        (
            "c",
            "/* Distributed under the GNU Affero General Public License version 3 or later */\n",
            "AGPL-3.0-or-later",
        ),
        ("javascript", "/* Dual licensed under the MIT or GPL Version 2 licenses. */\n", "GPL-1.0-or-later OR MIT"),
        ("javascript", "/**\n * @license MIT\n */\n", "MIT"),
        ("php", "<?php\n/*\n * License: GPLv2 or later\n */\n", "GPL-2.0-or-later"),
        (
            "go",
            "// Use of this source code is governed by a BSD-style\n// license that can be found here.\n",
            "BSD-3-Clause",
        ),
        ("go", '// Licensed under the Apache License, Version 2.0 (the "License");\n', "Apache-2.0"),
        ("perl", "# You may modify it under the same terms as Perl itself.\n", "Artistic-1.0-Perl OR GPL-1.0-or-later"),
        (
            "c",
            "/* Proprietary and confidential. Unauthorized copying of this file is prohibited. */",
            "LicenseRef-proprietary",
        ),
        ("c", f"/*\n{TEXTS['MIT'].replace('hereby granted', 'hereby not granted')}*/\n", UNKNOWN),
    ],
)
def test_notices(language: str, text: str, expected: str | None) -> None:
    assert says(language, text) == expected


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "x = 1\n"),
        ("python", "# This tool compares the GPL and the MIT license.\n"),
        ("python", f'NOTICE = """\n{GPL}"""\n'),
        ("python", "if license == 'GPL':\n    raise ValueError('licensed under the GPL')\n"),
        ("c", 'char *s = "This is licensed under the GPL";\n'),
        ("python", "# Copyright 2020 Jane Doe. All rights reserved.\n"),
        ("python", "#" * 9_000 + "\n" + lines("#", GPL)),
        ("python", ""),
    ],
)
def test_what_is_no_header(language: str, text: str) -> None:
    assert says(language, text) is None


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["python", "c", "html", "lua", "sql"]), st.text(max_size=300))
def test_any_text_has_an_answer(language: str, text: str) -> None:
    says(language, text)
