const body = document.querySelector('table.cases tbody'), rows = Array.from(body.rows);
const heads = Array.from(document.querySelectorAll('table.cases th[data-sort]'));
const boxes = Array.from(document.querySelectorAll('.filters input.state'));
const search = document.querySelector('.filters input[type=search]'), shown = document.getElementById('shown');
const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
const value = (row, key) => key === 'rank' ? row.dataset.rank : row.querySelector(`td[data-key="${key}"]`).dataset.value;
const compare = (a, b) => {
  // What has no value stays at the end, whichever way the rest is sorted.
  const x = Number(a), y = Number(b);
  return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, undefined, { numeric: true }) : x - y;
};
const sort = (head) => {
  const key = head.dataset.sort, down = head.getAttribute('aria-sort') === 'ascending';
  heads.forEach((other) => other.removeAttribute('aria-sort'));
  head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
  const values = new Map(rows.map((row) => [row, value(row, key)]));
  rows.sort((a, b) => {
    const x = values.get(a), y = values.get(b);
    if (x === '' || y === '') return (x === '') - (y === '');
    return (down ? -1 : 1) * compare(x, y);
  });
  body.append(...rows);
};
const filter = () => {
  const states = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
  const words = search.value.toLowerCase();
  let count = 0;
  for (const row of rows) {
    const fits = states.has(row.dataset.state) && texts.get(row).includes(words);
    row.hidden = !fits; count += fits;
  }
  shown.textContent = count === rows.length ? '' : `${count} of ${rows.length} shown`;
};
heads.forEach((head) => head.addEventListener('click', () => sort(head)));
boxes.forEach((box) => box.addEventListener('change', filter));
search.addEventListener('input', filter);
