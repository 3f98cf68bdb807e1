"""What the tests of FIM samples share: the tables of conf/, short ways to make a sample, and to read one back."""

from pathlib import Path

import yaml

from codemill.core.constructs import ConstructTable
from codemill.core.fim import Document, FimCatalogue, sample
from codemill.core.languages import Language, LanguageTable

CONF = Path(__file__).parents[3] / "conf"


def read(name):
    return yaml.safe_load((CONF / f"{name}.yaml").read_text(encoding="utf-8"))


FORMATS = read("fim")
CATALOGUE = FimCatalogue.from_mapping(FORMATS)
CONSTRUCTS = ConstructTable.from_mapping(read("constructs"))
LANGUAGES = LanguageTable.from_mapping(read("languages"))
PLAIN = Language("text")


def options(kind=None, name="starcoder", **more):
    """Options by which every document becomes FIM samples, of one kind if one is named, without its path."""
    kinds = {"kinds": {kind: 1.0}} if kind else {}
    return CATALOGUE.options(name, **{"fim_rate": 1.0, "path_rate": 0.0, **kinds, **more})


def samples(text, how, id_="a", language="python", seed=0, path="pkg/f", shown=()):
    """Make the samples of one text."""
    row = language if isinstance(language, Language) else LANGUAGES[language]
    return sample(Document(text, str(id_), row, path, "acme/tool", tuple(shown)), CONSTRUCTS, how, seed)


def one(text, how, id_="a", language="python", seed=0):
    """Make the only sample of one text."""
    (found,) = samples(text, how, id_, language, seed)
    return found


def drawn(text, how, times=100, language="python"):
    """Make a sample for each of so many ids."""
    return [one(text, how, id_, language) for id_ in range(times)]


def read_back(found, fmt):
    """Take a rendered sample apart by its sentinels alone and put the document together."""
    if found.order == "":
        return found.text.removeprefix(fmt.begin).removesuffix(fmt.plain_end or fmt.end)
    body = found.text.removeprefix(fmt.begin).removesuffix(fmt.end)
    if not fmt.middle:
        suffix, rest = body.removeprefix(fmt.suffix).split(fmt.prefix)
        return rest + suffix
    head, middle = body.split(fmt.middle)
    if found.order == "psm":
        prefix, suffix = head.removeprefix(fmt.prefix).split(fmt.suffix)
        return prefix + middle + suffix
    if fmt.spm == "spm_v2":
        return middle + head.removeprefix(fmt.prefix + fmt.suffix)
    suffix, prefix = head.removeprefix(fmt.suffix).split(fmt.prefix)
    return prefix + middle + suffix
