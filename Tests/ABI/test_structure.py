"""The folders of the core: what docs/architecture.md says of them is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "Sources/HankoCore"
TYPE = re.compile(r"^(?:(?:package|public|final|indirect) )*(?:struct|class|enum|protocol|actor) (\w+)", re.M)


def code_of(file: Path) -> str:
    """A file without its comments and texts."""
    without_comments = re.sub(r"//.*", "", file.read_text(encoding="utf-8"))
    return re.sub(r'"(?:\\.|[^"\\])*"', '""', without_comments)


def folders() -> list[str]:
    """In the order in which the page names them."""
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    sentence = re.search(r"Folders use only those before them: ([^.]*)\.", page)
    assert sentence, "the sentence about the folders is gone"
    return re.findall(r"`(\w+)`", sentence[1])


FILES = {folder: sorted((CORE / folder).glob("*.swift")) for folder in folders()}
# Where each type is, by its name.
TYPES = {
    name: (folder, file.stem) for folder, files in FILES.items() for file in files for name in TYPE.findall(code_of(file))
}


def test_the_page_names_all_folders() -> None:
    assert sorted(FILES) == sorted(path.name for path in CORE.iterdir() if path.is_dir())


def test_there_are_types_to_look_at() -> None:
    assert len(TYPES) > 80
    assert TYPES["Verdict"] == ("Verdict", "Verdict")


@pytest.mark.parametrize("folder", FILES)
def test_a_folder_uses_only_those_before_it(folder: str) -> None:
    later = set(list(FILES)[list(FILES).index(folder) + 1 :])
    uses = [
        f"{file.name} uses {name} of {TYPES[name][0]}"
        for file in FILES[folder]
        for name in sorted(set(re.findall(r"\b[A-Z]\w+\b", code_of(file))) & TYPES.keys())
        if TYPES[name][0] in later
    ]
    assert uses == []


# Exported functions that take no lock, wait for nothing and log nothing.
READING = re.compile(r"hanko_(version|status|last)_\w+|hanko_version|hanko_queue_file_descriptor|hanko_session_(?!free)\w+")
# What disables cancellation at the beginning of a function, itself or for all that call it.
DISABLES = re.compile(r"\s*(let guarded = CallGuard\(\)\n    defer \{ guarded\.end\(\) \}|change\(|handOver\()")


def exported_functions() -> dict[str, str]:
    """The body of each function of the C layer, by its name."""
    bodies = {}
    for file in sorted((ROOT / "Sources/Hanko").glob("*.swift")):
        for piece in file.read_text(encoding="utf-8").split("@_cdecl(")[1:]:
            name = piece.split('"')[1]
            bodies[name] = piece.split("{\n", 1)[1] if "{\n" in piece else piece
    return bodies


def test_no_call_can_be_cancelled_in_the_middle() -> None:
    bodies = exported_functions()
    assert len(bodies) > 40
    open_ones = [name for name, body in bodies.items() if not READING.fullmatch(name) and not DISABLES.match(body)]
    assert open_ones == []
    for helper in ("change", "handOver"):
        text = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "Sources/Hanko").glob("*.swift"))
        head = re.search(r"private func " + helper + r"\([^{}]*\{\n", text)
        assert head and DISABLES.match(text[head.end() :]), helper


@pytest.mark.parametrize("folder", FILES)
def test_a_type_is_in_the_file_of_its_name(folder: str) -> None:
    elsewhere = [f"{name} is in {stem}" for name, (where, stem) in TYPES.items() if where == folder and name != stem]
    assert elsewhere == []
