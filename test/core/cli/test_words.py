"""`actseg words`."""

import pytest

from actseg_core.cli.main import main


def test_a_noun_is_printed_with_what_it_stands_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["words", "geese"]) == 0

    assert capsys.readouterr().out == (
        "who      geese: animal, known 1.0; COCO bird; ImageNet goose, several\n"
    )


def test_a_sentence_is_printed_part_by_part(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["words", "a man without a red hat walks to the left on the street"]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "who      man: person, known 1.0; COCO person",
        "looks    not red hat (head)",
        "does     walk (slow, left)",
        "beside   on (scene) street: place, known 0.0; no class",
    ]


def test_a_text_without_a_word_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["words", "?!"]) == 2
    assert "holds no word; send one like 'dog running'" in capsys.readouterr().err
