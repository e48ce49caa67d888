"""One HTML page that needs nothing but itself; every word from outside is escaped."""

import base64
import io
from collections.abc import Iterable, Mapping
from html import escape

from napari_histreg.quality.drawing import Picture

__all__ = ["curtain_block", "definition_table", "document", "figure", "section", "table"]

JPEG_QUALITY = 82

# Nothing may be fetched: the policy makes sure of it whatever a file name tries.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

STYLE = """
:root { --ink: #1b1f24; --soft: #5d6773; --line: #d9dee4; --good: #1a7f37; --fair: #9a6700;
  --bad: #b42318; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 1080px; margin: 0 auto;
  padding: 24px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 32px 0 8px; }
p.note, figcaption, .soft { color: var(--soft); font-size: 13px; }
.verdict { border-left: 6px solid; padding: 8px 16px; margin: 16px 0; background: #f6f8fa; }
.accepted { border-color: var(--good); } .doubtful { border-color: var(--fair); }
.refused { border-color: var(--bad); }
.verdict strong { font-size: 20px; }
.key { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 12px; }
.key div { border: 1px solid var(--line); border-radius: 6px; padding: 8px 12px; }
.key b { display: block; font-size: 20px; }
table { border-collapse: collapse; width: 100%; margin: 8px 0; }
th, td { border-bottom: 1px solid var(--line); padding: 4px 8px; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
th, td.n { overflow-wrap: normal; white-space: nowrap; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 12px 0; } img { max-width: 100%; height: auto; display: block; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 12px; }
.curtain { position: relative; touch-action: none; cursor: ew-resize; overflow: hidden; }
.curtain { max-width: 800px; } .curtain img { width: 100%; }
.curtain .over { position: absolute; inset: 0; clip-path: inset(0 0 0 50%); }
.curtain .line { position: absolute; top: 0; bottom: 0; width: 2px; background: #ffd200; left: 50%; }
.controls { display: flex; gap: 16px; align-items: center; margin: 8px 0; }
.controls input[type=range] { flex: 1; }
@media print { body { max-width: none; padding: 0; font-size: 11px; } .controls { display: none; }
  h2 { margin-top: 16px; } h2, p.note { break-after: avoid; }
  figure, table, tr, .curtain, .pair, .key, .verdict { break-inside: avoid; }
  .curtain { max-width: 11cm; } figure img { max-height: 8.5cm; width: auto; } }
@media (max-width: 700px) { .pair { grid-template-columns: 1fr; } }
"""

SCRIPT = """
for (const box of document.querySelectorAll('.curtain')) {
  const over = box.querySelector('.over'), line = box.querySelector('.line');
  const bar = box.parentElement.querySelector('input[type=range]');
  const button = box.parentElement.querySelector('button');
  const show = (share) => {
    share = Math.min(100, Math.max(0, share));
    over.style.clipPath = `inset(0 0 0 ${share}%)`; line.style.left = `${share}%`; bar.value = share;
  };
  const drag = (event) => {
    const area = box.getBoundingClientRect();
    show(100 * (event.clientX - area.left) / area.width);
  };
  box.addEventListener('pointerdown', (event) => { box.setPointerCapture(event.pointerId); drag(event); });
  box.addEventListener('pointermove', (event) => { if (event.buttons) drag(event); });
  bar.addEventListener('input', () => show(Number(bar.value)));
  let timer = null, front = false;
  button.addEventListener('click', () => {
    if (timer) { clearInterval(timer); timer = null; button.textContent = 'Blink'; show(50); return; }
    button.textContent = 'Stop';
    timer = setInterval(() => { front = !front; show(front ? 0 : 100); }, 500);
  });
}
"""


def document(title: str, body: Iterable[str]) -> str:
    """Return a whole page.

    Parameters
    ----------
    title : str
        Plain text.
    body : iterable of str
        HTML made by the functions of this file.

    Examples
    --------
    >>> document("a < b", []).count("a &lt; b")
    1
    """
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f"{''.join(body)}<script>{SCRIPT}</script></body></html>\n"
    )


def section(title: str, *parts: str, note: str = "") -> str:
    """Return a headed section of HTML parts; nothing where all parts are empty."""
    inside = "".join(parts)
    if not inside:
        return ""
    words = f'<p class="note">{escape(note)}</p>' if note else ""
    return f"<section><h2>{escape(title)}</h2>{words}{inside}</section>"


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table; numbers are set to the right, and columns that are empty throughout are left out.

    Examples
    --------
    >>> "&lt;script&gt;" in table(["name"], [["<script>"]])
    True
    """

    def cell(tag: str, value: object) -> str:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        words = f"{value:.4g}" if isinstance(value, float) else str(value)
        return f"<{tag}{' class=n' if number else ''}>{escape('–' if value is None else words)}</{tag}>"

    names, body = list(head), [list(row) for row in rows]
    told = [k for k in range(len(names)) if not body or any(row[k] not in ("", None) for row in body)]
    names, body = [names[k] for k in told], [[row[k] for k in told] for row in body]
    first = body[0] if body else []
    # A heading stands over its numbers.
    numbers = [isinstance(value, int | float) for value in first]
    top = "".join(
        f"<th{' class=n' if k < len(numbers) and numbers[k] else ''}>{escape(name)}</th>"
        for k, name in enumerate(names)
    )
    lines = "".join(f"<tr>{''.join(cell('td', value) for value in row)}</tr>" for row in body)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"


def definition_table(values: Mapping[str, object]) -> str:
    """Return a table of names and values."""
    rows = "".join(
        f"<tr><th>{escape(str(name))}</th><td>{escape(_words(value))}</td></tr>"
        for name, value in values.items()
    )
    return f"<table><tbody>{rows}</tbody></table>" if rows else ""


def figure(picture: Picture | None, words: str) -> str:
    """Return a picture with a line below; nothing where there is no picture."""
    if picture is None:
        return ""
    height, width = picture.shape[:2]
    return (
        f'<figure><img src="{_data_url(picture)}" width="{width}" height="{height}" alt="{escape(words)}">'
        f"<figcaption>{escape(words)}</figcaption></figure>"
    )


def curtain_block(fixed: Picture | None, moving: Picture | None) -> str:
    """Return two pictures of one size, one behind the other, with a curtain to drag and a button to blink."""
    if fixed is None or moving is None:
        return ""
    return (
        '<div><div class="curtain">'
        f'<img src="{_data_url(fixed)}" alt="fixed slide" draggable="false">'
        f'<img class="over" src="{_data_url(moving)}" alt="aligned moving slide" draggable="false">'
        '<div class="line"></div></div><div class="controls"><span class="soft">fixed</span>'
        '<input type="range" min="0" max="100" value="50" aria-label="curtain">'
        '<span class="soft">moving</span><button type="button">Blink</button></div></div>'
    )


def _words(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_words(inner) for inner in value)
    return str(value)


def _data_url(picture: Picture) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
