from codemill.core.languages import Language
from codemill.core.outlines import answer

PYTHON = Language("python", grammar="python")


def test_a_text_says_what_it_imports_and_what_it_is_about():
    found = answer(("import os\nfrom . import shapes\n\nshapes.area(shapes.Box())\n", PYTHON))
    assert found["terms"] == {"shapes": 3, "import": 2, "area": 1, "box": 1, "from": 1}
    assert any("shapes" in entry for entry in found["imports"])


def test_what_no_family_knows_or_no_grammar_takes_imports_nothing():
    for text, language in [
        ("import alpha", Language("cobol")),
        ("- " * 300 + "alpha", Language("yaml", grammar="yaml")),
        ("alpha = 1\n" * (1 << 20), PYTHON),
    ]:
        found = answer((text, language))
        assert (tuple(found["declares"]), tuple(found["imports"])) == ((), ())
        assert "alpha" in found["terms"]
