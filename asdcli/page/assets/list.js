// All clips: sorted, filtered, and only as many rows drawn as can be seen.
const KINDS = {
  all: ['all', () => true],
  wrong: ['wrong decisions', (row) => ['miss', 'false'].includes(outcomeOf(row))],
  miss: ['missed anomalies', (row) => outcomeOf(row) === 'miss'],
  false: ['false alarms', (row) => outcomeOf(row) === 'false'],
  alarm: ['all alarms', (row) => ['hit', 'false', 'alarm', 'suspicious'].includes(outcomeOf(row))],
  anomaly: ['anomalies', (row) => row.condition === 'anomaly'],
  normal: ['normal clips', (row) => row.condition === 'normal'],
  heard: ['that can be heard', (row) => row.name in data.sounds],
  explained: ['that are explained', (row) => row.name in data.reasons],
};

// `worth` is the order in which clips are worth a look: wrong decisions first, the farthest on the wrong side first
const COLUMNS = [
  { id: 'name', text: data.kind === 'tested' ? 'Clip' : 'Recording', of: (row) => row.name, show: (row) => named(label(row)) },
  { id: 'machine', text: 'Machine', of: (row) => row.machine, show: (row) => named(row.machine), hide: data.machines.length < 2 },
  { id: 'score', text: 'Score', of: (row) => valueOf(row, 'score'), show: (row) => number(valueOf(row, 'score')), figure: true },
  { id: 'times', text: '× threshold', of: timesOf, show: (row) => number(timesOf(row), 3), figure: true },
  { id: 'p', text: 'p', of: (row) => valueOf(row, 'p'), show: (row) => number(valueOf(row, 'p'), 2), figure: true },
  { id: 'decision', text: 'Decision', of: (row) => outcomeOf(row) || '', show: (row) => badge(outcomeOf(row)) },
  { id: 'condition', text: 'Truth', of: (row) => row.condition, show: (row) => row.condition || '–', hide: !rows.some((row) => row.condition) },
  { id: 'domain', text: 'Domain', of: (row) => row.domain, show: (row) => row.domain || '–', hide: !rows.some((row) => row.domain) },
  { id: 'attributes', text: 'Attributes', of: (row) => row.attributes, show: (row) => named(row.attributes), hide: !rows.some((row) => row.attributes) },
  { id: 'when', text: 'When', of: (row) => row.when, show: (row) => moment(row.when), hide: !rows.some((row) => row.when) },
  { id: 'said', text: 'Why', of: (row) => row.said, show: (row) => named(row.said), hide: !rows.some((row) => row.said) },
  { id: 'worth', text: 'Wrong side', of: (row) => worthOf(row), show: (row) => percent(valueOf(row, 'side')), figure: true, hide: data.kind !== 'tested' },
].filter((column) => !column.hide);

// without what stands in a column of its own
function label(row) {
  const name = short(row.name);
  return row.attributes && name.endsWith(`_${row.attributes}`) ? name.slice(0, -row.attributes.length - 1) : name;
}

function timesOf(row) {
  const part = partOf(row.m);
  const score = valueOf(row, 'score');
  return part && part.threshold > 0 && score != null ? score / part.threshold : null;
}

function worthOf(row) {
  const score = valueOf(row, 'score');
  if (score == null) return -1;
  const outcome = outcomeOf(row);
  if (data.kind === 'checked') return outcome === 'suspicious' ? 1 + (timesOf(row) || 0) : -1 / (1 + Math.abs(score));
  return (['miss', 'false'].includes(outcome) ? 2 : 0) + (valueOf(row, 'side') || 0);
}

const list = { sort: 'worth', down: true, text: '', kind: 'all', machine: '', domain: '', found: [], at: 0 };
const OVER = 6;

function startList() {
  const place = document.getElementById('list');
  list.count = el('p', { class: 'count', role: 'status' });
  list.head = el('div', { class: 'row head', role: 'row' });
  list.body = el('div', { class: 'body', role: 'rowgroup' });
  list.grid = el('div', { class: 'grid', role: 'grid', tabindex: 0, 'aria-label': 'Clips; Enter looks at one', 'aria-colcount': COLUMNS.length }, el('div', { role: 'rowgroup', class: 'heads' }, list.head), list.body);
  list.grid.style.setProperty('--columns', COLUMNS.map((one) => WIDTHS[one.id] || 'minmax(70px, 1fr)').join(' '));
  place.replaceChildren(filters(), list.count, list.grid);
  list.grid.addEventListener('scroll', () => requestAnimationFrame(drawRows), { passive: true });
  list.grid.addEventListener('keydown', listKeys);
  new ResizeObserver(drawRows).observe(list.grid);
  on('cut', update);
  on('series', update);
  on('clip', drawRows);
  window.addEventListener('beforeprint', printRows);
  window.addEventListener('afterprint', drawRows);
  heads();
  update();
}

const WIDTHS = { score: 'minmax(96px, 1fr)', when: 'minmax(136px, 1.2fr)', name: 'minmax(220px, 4fr)', attributes: 'minmax(120px, 2fr)', said: 'minmax(160px, 3fr)', machine: 'minmax(80px, 1.2fr)', decision: 'minmax(132px, 1.3fr)', times: 'minmax(116px, 1fr)', worth: 'minmax(108px, 1fr)' };

function filters() {
  const choose = (label, entries, change) => {
    const made = el('select', { onchange: (event) => change(event.target.value) }, ...entries.map(([value, text]) => el('option', { value, text })));
    return el('label', {}, `${label} `, made);
  };
  const kinds = Object.entries(KINDS).map(([value, [text]]) => [value, text]).filter(([value]) => data.kind === 'tested' || !['wrong', 'miss', 'false', 'anomaly', 'normal'].includes(value));
  const parts = [
    el('label', {}, 'Find ', el('input', { type: 'search', id: 'find', placeholder: 'name or attribute', oninput: (event) => set('text', event.target.value.toLowerCase()) })),
    choose('Show', kinds, (value) => set('kind', value)),
  ];
  parts[1].querySelector('select').id = 'kind';
  if (data.machines.length > 1) parts.push(choose('Machine', [['', 'all'], ...data.machines.map((one, m) => [m, one.name])], (value) => set('machine', value)));
  const domains = [...new Set(rows.map((row) => row.domain).filter(Boolean))].sort();
  if (domains.length > 1) parts.push(choose('Domain', [['', 'all'], ...domains.map((one) => [one, one])], (value) => set('domain', value)));
  return el('div', { class: 'filters' }, ...parts);
}

function set(name, value) {
  list[name] = value;
  list.grid.scrollTop = 0;
  update();
}

function heads() {
  list.head.replaceChildren(...COLUMNS.map((column) => {
    const sorted = list.sort === column.id ? (list.down ? 'descending' : 'ascending') : 'none';
    const sign = { descending: ' ▼', ascending: ' ▲', none: '' }[sorted];
    const button = el('button', { type: 'button', text: column.text + sign, onclick: () => sortBy(column) });
    return el('div', { role: 'columnheader', class: `cell ${column.id}${column.figure ? ' figure' : ''}`, 'aria-sort': sorted }, button);
  }));
}

function sortBy(column) {
  const again = list.sort === column.id;
  list.down = again ? !list.down : Boolean(column.figure) && column.id !== 'p';
  list.sort = column.id;
  heads();
  update();
  list.head.querySelector(`.${column.id} button`).focus();
}

function update() {
  const wanted = KINDS[list.kind][1];
  const matches = (row) => !list.text || row.name.toLowerCase().includes(list.text) || (row.attributes || '').toLowerCase().includes(list.text);
  list.found = rows.filter((row) => (list.machine === '' || row.m === Number(list.machine)) && (!list.domain || row.domain === list.domain) && matches(row) && wanted(row));
  const { of } = COLUMNS.find((one) => one.id === list.sort) || { of: worthOf }; // the column may be hidden
  const values = new Map(list.found.map((row) => [row, of(row)]));
  const order = (a, b) => {
    const [x, y] = [values.get(a), values.get(b)];
    if (x == null || y == null) return (x == null) - (y == null) || a.number - b.number; // what is not known comes last
    const by = typeof x === 'string' ? (x < y ? -1 : Number(x > y)) : x - y;
    return (list.down ? -by : by) || a.number - b.number;
  };
  list.found.sort(order);
  list.at = Math.min(list.at, Math.max(list.found.length - 1, 0));
  list.grid.setAttribute('aria-rowcount', list.found.length + 1);
  list.count.textContent = `${list.found.length.toLocaleString('en')} of ${count(rows.length, WHAT)}`;
  drawRows();
}

const heightOf = () => parseFloat(getComputedStyle(list.grid).getPropertyValue('--row')) || 40;

function drawRows() {
  const height = heightOf();
  const first = Math.max(0, Math.floor(list.grid.scrollTop / height) - OVER);
  const last = Math.min(list.found.length, Math.ceil((list.grid.scrollTop + list.grid.clientHeight) / height) + OVER);
  list.body.style.height = `${list.found.length * height}px`;
  const drawn = list.found.slice(first, last).map((row, i) => drawRow(row, first + i, height));
  list.body.replaceChildren(...drawn);
  list.grid.setAttribute('aria-activedescendant', `row-${list.at}`);
}

function drawRow(row, at, height) {
  const cells = COLUMNS.map((column) => {
    const cell = el('div', { role: 'gridcell', class: `cell ${column.id}${column.figure ? ' figure' : ''}` });
    cell.append(column.show(row));
    return cell;
  });
  if (row.name in data.sounds) cells[0].prepend(el('span', { class: 'heard', title: 'can be heard', text: '♪ ' }));
  const chosen = shown.row === row;
  const made = el('div', { role: 'row', class: `row${chosen ? ' chosen' : ''}${at === list.at ? ' at' : ''}`, id: `row-${at}`, 'aria-rowindex': at + 2, 'aria-selected': String(chosen), onclick: () => {
    list.at = at;
    openClip(row.m, row.name, { play: row.name in data.sounds, focus: false });
  } }, ...cells);
  made.style.top = `${at * height}px`;
  return made;
}

function listKeys(event) {
  if (event.target !== list.grid) return;
  const height = heightOf();
  const page = Math.max(1, Math.floor(list.grid.clientHeight / height) - 2);
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
  if (event.key in steps && list.found.length) {
    list.at = Math.max(0, Math.min(list.found.length - 1, list.at + steps[event.key]));
    const top = list.at * height;
    if (top < list.grid.scrollTop) list.grid.scrollTop = top;
    else if (top + 2 * height > list.grid.scrollTop + list.grid.clientHeight) list.grid.scrollTop = top + 2 * height - list.grid.clientHeight;
    drawRows();
  } else if ((event.key === 'Enter' || event.key === ' ') && list.found[list.at]) {
    const row = list.found[list.at];
    openClip(row.m, row.name, { play: row.name in data.sounds, focus: false });
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

// paper does not scroll: the first of them
function printRows() {
  const height = heightOf();
  const drawn = list.found.slice(0, 60).map((row, i) => drawRow(row, i, height));
  list.body.style.height = `${drawn.length * height}px`;
  list.body.replaceChildren(...drawn);
}
