"""The generated part of docs/reproduction.md."""

from pathlib import Path

from actseg_core.errors import ConfigError, DatasetError
from actseg_core.evaluation.report_files import write_text

BEGIN = "<!-- written by actseg ablate: begin -->"
END = "<!-- written by actseg ablate: end -->"


def fill_page(page: Path, content: str) -> None:
    """Replace what is between the two marks of a page.

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
    write_text(page, f"{before}{BEGIN}\n\n{content.strip()}\n\n{END}{after}")
