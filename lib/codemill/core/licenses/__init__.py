"""What licence a project is under: texts identified by content, declarations read from manifests, both combined.

A licence is an SPDX expression; its class (permissive, strong_copyleft, ...) comes from conf/licenses.yaml. Which
classes may stay is policy and is not decided here.
"""

from codemill.core.licenses.headers import FileLicense, file_license
from codemill.core.licenses.project import (
    Evidence,
    ProjectLicense,
    combine,
    evidence_kind,
    license_folder,
    platform_evidence,
    read_evidence,
)
from codemill.core.licenses.table import CLASSES, LicenseTable
from codemill.core.licenses.texts import TextMatch, identify_text

__all__ = [
    "CLASSES",
    "Evidence",
    "FileLicense",
    "LicenseTable",
    "ProjectLicense",
    "TextMatch",
    "combine",
    "evidence_kind",
    "file_license",
    "identify_text",
    "license_folder",
    "platform_evidence",
    "read_evidence",
]
