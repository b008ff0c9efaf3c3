"""The page in a real browser: what people see and do."""

import time
from pathlib import Path
from typing import Any

import av
import cv2
import pytest
from patience import PATIENCE_S
from real_browser import chrome, open_page

__all__ = ["chrome", "open_page"]
GREY = [90, 90, 90]
INSIDE, OUTSIDE = (5, 3), (13, 10)  # of the fake engine's rectangle
ORANGE = [230, 159, 0]


def pixel(window: Any, place: tuple[int, int]) -> list[int]:
    """A pixel of the canvas, without its alpha."""
    return list(
        window.evaluate(
            "([x, y]) => Array.from(document.getElementById('picture').getContext('2d')"
            ".getImageData(x, y, 1, 1).data.slice(0, 3))",
            list(place),
        )
    )


def is_near(one: list[int], other: list[int]) -> bool:
    return all(abs(a - b) <= 4 for a, b in zip(one, other, strict=True))


def is_tinted(window: Any) -> bool:
    red, _, blue = pixel(window, INSIDE)
    return red > GREY[0] + 20 and blue < GREY[2] - 20


def wait(window: Any, condition: Any, what: str = "") -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, what or window.inner_text("body")
        window.wait_for_timeout(30)


def ask(window: Any, text: str, key: str = "Enter") -> None:
    window.wait_for_selector("#link >> text=live")
    window.fill("#sentence", text)
    window.press("#sentence", key)


@pytest.fixture
def window(page: Any, open_page: Any) -> Any:
    window = open_page(page.address)
    window.uncheck("#show-names")  # captions would hide a picture of 16x12 pixels
    wait(window, lambda: is_near(pixel(window, INSIDE), GREY), "the plain picture")
    return window


def test_a_sentence_that_is_typed_changes_the_mask(window) -> None:
    ask(window, "a dog")
    wait(window, lambda: is_tinted(window), "the mask")
    assert is_near(pixel(window, OUTSIDE), GREY)
    window.wait_for_selector(".card .badge >> text=Found")
    assert window.inner_text(".card .percent") == "75 %"
    ask(window, "absent cat")
    wait(window, lambda: is_near(pixel(window, INSIDE), GREY), "no mask any more")
    window.wait_for_selector(".card .badge >> text=Not found")
    window.wait_for_selector(".card .advice >> text=Nothing in the picture fits.")
    window.click("#clear")
    window.wait_for_selector("#none")


def test_the_contour_alone_stays_where_tints_are_switched_off(window) -> None:
    ask(window, "a dog")
    wait(window, lambda: is_tinted(window))
    window.uncheck("#show-masks")
    wait(window, lambda: not is_tinted(window))


def test_two_windows_show_the_same_sentences(page, window, open_page) -> None:
    other = open_page(page.address)
    ask(window, "a dog")
    ask(other, "a cat", "Shift+Enter")
    for one in (window, other):
        one.wait_for_selector(".card >> text=a dog")
        one.wait_for_selector(".card >> text=a cat")
    colours = [
        card.evaluate("card => card.style.getPropertyValue('--colour')")
        for card in window.query_selector_all(".card")
    ]
    assert colours == ["#e69f00", "#56b4e9"]


def test_a_window_that_is_busy_holds_nobody_up_and_goes_on_with_the_newest(page, window) -> None:
    ask(window, "a dog")
    wait(window, lambda: is_tinted(window))
    before, shown = page.processed, page.view.newest.number
    window.evaluate(
        "() => { const end = performance.now() + 3000; while (performance.now() < end); }"
    )
    assert page.processed > before
    wait(window, lambda: window.evaluate("() => state.frame.facts.number") > shown + 1)
    assert window.inner_text("#link") == "live"


def test_a_reload_keeps_sentences_and_history(window) -> None:
    ask(window, "a dog")
    window.wait_for_selector(".card >> text=a dog")
    window.reload()
    wait(window, lambda: is_tinted(window))
    window.wait_for_selector(".card >> text=a dog")
    assert window.inner_text("#history") == "" or "a dog" in window.text_content("#history")
    window.focus("#sentence")
    window.keyboard.press("ArrowUp")
    assert window.input_value("#sentence") == "a dog"


def test_a_silent_camera_is_told_and_no_old_mask_stays(page, window) -> None:
    ask(window, "a dog")
    wait(window, lambda: is_tinted(window))
    page.is_sending = False
    window.wait_for_selector("#banner >> text=The camera is silent")
    wait(window, lambda: not is_tinted(window), "an old mask is shown")
    assert window.get_attribute("#frame", "data-old") == "yes"
    window.wait_for_selector(".card .badge >> text=The camera is silent")
    page.is_sending = True
    wait(window, lambda: is_tinted(window))
    assert window.is_hidden("#banner")


def test_an_ended_server_is_told_and_no_old_mask_stays(page, window) -> None:
    ask(window, "a dog")
    wait(window, lambda: is_tinted(window))
    page.server.stop()
    window.wait_for_selector("#banner >> text=No connection")
    wait(window, lambda: not is_tinted(window), "an old mask is shown")
    window.wait_for_selector(".card .badge >> text=Unknown")
    window.fill("#sentence", "a cat")
    window.press("#sentence", "Enter")
    window.wait_for_selector("#said >> text=not connected")
    assert window.input_value("#sentence") == "a cat"  # nothing that was typed is lost


def test_everything_can_be_done_with_the_keyboard(window) -> None:
    window.reload()
    window.keyboard.press("Tab")
    assert window.evaluate("() => document.activeElement.className") == "skip"
    window.keyboard.press("Enter")
    window.focus("#sentence")
    for text, key in (("a dog", "Enter"), ("a cat", "Shift+Enter")):
        window.keyboard.type(text)
        window.keyboard.press(key)
        window.wait_for_selector(f".card >> text={text}")
    names: list[str] = []
    for _ in range(40):
        window.keyboard.press("Tab")
        told = window.evaluate(
            "() => { const it = document.activeElement; "
            "if (it === document.body) return ['', '']; const style = getComputedStyle(it);"
            "return [it.getAttribute('aria-label') || it.innerText || it.labels?.[0]?.innerText"
            " || '', style.outlineStyle]; }"
        )
        if told[0] and told[0] not in names:
            names.append(told[0])
            assert told[1] != "none", f"{told[0]} does not show that it has the focus"
    wanted = ["Find", "Add", "Clear", "Remove: a dog", "Remove: a cat", "Earlier sentences"]
    wanted += ["Snapshot", "Record 10 s", "Masks", "Boxes", "Captions"]
    assert [name for name in wanted if not any(name in one.strip() for one in names)] == []
    window.focus(".card .remove")
    window.keyboard.press("Enter")
    wait(window, lambda: len(window.query_selector_all(".card")) == 1)
    assert window.evaluate("() => document.activeElement.id") == "sentence"


def test_a_screen_reader_is_told_what_is_found_and_where(window) -> None:
    ask(window, "a dog")
    wait(window, lambda: window.inner_text("#news") == "a dog: Found")
    assert window.get_attribute("#news", "aria-live") == "polite"
    wait(
        window,
        lambda: "a dog: found" in (window.get_attribute("#picture", "aria-label") or ""),
    )
    assert window.get_by_role("textbox", name="What shall be marked?").is_visible()
    assert window.get_by_role("button", name="Remove: a dog").is_visible()
    assert window.get_by_role("list", name="Now").is_visible()


def test_what_is_typed_is_text_and_nothing_else(window) -> None:
    evil = "<img src=x onerror=document.title='hit'> dog"
    ask(window, evil)
    window.wait_for_selector(".card")
    assert window.inner_text(".card .text") == evil
    assert "hit" not in window.title()
    assert window.query_selector(".card img") is None


def test_a_refusal_is_shown_and_the_text_stays(window) -> None:
    ask(window, "a" * 600)
    window.wait_for_selector("#said >> text=a sentence may have 512 characters")
    assert len(window.input_value("#sentence")) == 600


def test_the_look_follows_the_system_until_it_is_chosen(page, open_page) -> None:
    window = open_page(page.address, color_scheme="dark")
    theme = "() => document.documentElement.dataset.theme"
    assert window.evaluate(theme) == "dark"
    window.click("#theme")
    assert window.evaluate(theme) == "light"
    window.reload()
    assert window.evaluate(theme) == "light"


@pytest.mark.parametrize(("width", "height"), [(320, 640), (390, 844), (844, 390), (1280, 800)])
def test_nothing_has_to_be_scrolled_sideways(page, open_page, width, height) -> None:
    window = open_page(page.address, viewport={"width": width, "height": height})
    ask(window, "a dog with a very long name " * 6)
    window.wait_for_selector(".card")
    assert window.evaluate("() => document.documentElement.scrollWidth") <= width


def test_a_token_is_asked_for_and_kept_by_the_address(make_page, open_page) -> None:
    page = make_page(token="secret-secret")
    window = open_page(page.address)
    window.wait_for_selector("#door[open]")
    window.fill("#token", "wrong-wrong")
    window.keyboard.press("Enter")
    window.wait_for_selector("#link >> text=locked")
    window.wait_for_selector("#door[open]")
    window.fill("#token", "secret-secret")
    window.keyboard.press("Enter")
    window.wait_for_selector("#link >> text=live")
    assert open_page(page.server.url).wait_for_selector("#link >> text=live")


def test_a_snapshot_is_the_picture_with_its_mask(window, tmp_path: Path) -> None:
    ask(window, "a dog")
    wait(window, lambda: is_tinted(window))
    with window.expect_download() as download:
        window.click("#snapshot")
    assert download.value.suggested_filename.endswith(".png")
    download.value.save_as(tmp_path / "snapshot.png")
    image = cv2.imread(str(tmp_path / "snapshot.png"))
    assert image.shape == (12, 16, 3)
    blue, _, red = (int(value) for value in image[INSIDE[1], INSIDE[0]])
    assert red > blue + 40


@pytest.mark.slow
def test_a_recording_of_ten_seconds_can_be_played(window, tmp_path: Path) -> None:
    ask(window, "a dog")
    wait(window, lambda: is_tinted(window))
    with window.expect_download() as download:
        window.click("#record")
        window.wait_for_selector("#recording >> text=recording")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    with av.open(str(path)) as container:
        times = [float(frame.time or 0.0) for frame in container.decode(video=0)]
    assert len(times) > 1 and times[-1] - times[0] > 5.0
