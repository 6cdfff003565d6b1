"""HTML and untidy text as plain text."""

import re
from html.parser import HTMLParser
from typing import Final

_BLOCKS: Final = frozenset({
    "p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6",
    "section", "article", "blockquote", "hr", "dt", "dd",
})  # fmt: skip
_UNSEEN: Final = frozenset({"script", "style", "template"})
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\ufeff\ud800-\udfff\ufffe\uffff]")
_LOOKS_LIKE_HTML: Final = re.compile(r"</?[a-zA-Z][^<>]*>|&(#\d+|#x[0-9a-fA-F]+|\w+);|<!--")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in _UNSEEN:
            self._unseen = tag
        if tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._unseen:
            self._unseen = None
        if tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if self._unseen is None:
            self.pieces.append(data)


def without_controls(value: str) -> str:
    """The text without characters that nobody can see; tabs and line ends stay."""
    return _CONTROLS.sub("", value)


def one_line(value: str) -> str:
    """Plain text on one line, its runs of white space closed up."""
    return " ".join(plain_text(value).split())


def plain_text(value: str) -> str:
    """
    What a reader would see: no tags, no entities, at most one empty line in a row.

    Text without any markup keeps its ``<`` and ``&``.
    """
    if _LOOKS_LIKE_HTML.search(value):
        reader = _Reader()
        try:
            reader.feed(value)
            reader.close()
            value = "".join(reader.pieces)
        except AssertionError:  # how the parser reports a declaration that it cannot make sense of
            value = re.sub(r"<[^<>]*>", " ", value)
    lines = [" ".join(line.split()) for line in without_controls(value).splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def shortened(value: str, most: int) -> str:
    """The text if it fits, else its beginning up to a word's end, with an ellipsis."""
    if len(value) <= most:
        return value
    head = value[: most - 1]
    cut = head.rsplit(None, 1)[0] if " " in head else head
    return cut.rstrip(" ,;:-") + "…"
