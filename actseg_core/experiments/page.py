"""The generated part of docs/reproduction.md."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from actseg_core.errors import ConfigError, DatasetError
from actseg_core.evaluation.report_files import replaced, write_text

BEGIN = "<!-- written by actseg ablate: begin -->"
END = "<!-- written by actseg ablate: end -->"


def fill_page(page: Path, content: str, pictures: Sequence[Path] = ()) -> None:
    """Replace what is between the two marks of a page.

    Args:
        page: Markdown.
        content: What to put there.
        pictures: Files shown below it, copied to images/ beside the page as ablation_NAME.

    Raises:
        ConfigError: If the page lacks the marks.
        DatasetError: If it cannot be read or written.
    """
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"cannot read {page}: {error}") from error
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ConfigError(
            f"{page} needs the lines {BEGIN!r} and {END!r} around the generated part"
        )
    shown = [f"![{path.stem}](images/{_copied(path, page)})" for path in pictures]
    inside = "\n\n".join([content.strip(), *shown])
    write_text(page, f"{before}{BEGIN}\n\n{inside}\n\n{END}{after}")


def _copied(picture: Path, page: Path) -> str:
    name = f"ablation_{picture.name}"
    with replaced(page.parent / "images" / name) as partial:
        shutil.copyfile(picture, partial)
    return name
