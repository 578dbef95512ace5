// Two methods on the same clips: their scores against one another, and the clips that they rank most differently.
const MOST_APART = 30;

function startCompare() {
  const place = document.getElementById('compared');
  if (!place) return;
  const option = (text, value) => el('option', { value, text });
  const series = () => data.series.map((one, s) => option(one.name, s));
  const [one, other] = [el('select', { id: 'compare-a' }, ...series()), el('select', { id: 'compare-b' }, ...series())];
  other.value = String(state.other);
  const machine = el('select', { id: 'compare-machine' }, ...data.machines.map((of, m) => option(of.name, m)));
  const table = el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Clips ranked most differently' });
  const chosen = () => ({ m: Number(machine.value), a: Number(one.value), b: Number(other.value) });
  const figure = card('Scores by both', (width) => drawScatter(chosen(), width), { below: key([
    { mark: 'circle', style: 'normal', text: 'normal' }, { mark: 'cross', style: 'anomaly', text: 'anomaly' }, { mark: 'square', style: 'all', text: 'unknown' },
  ]) });
  const again = () => {
    figure.redraw();
    table.replaceChildren(apartTable(chosen()));
  };
  for (const each of [one, other, machine]) each.addEventListener('change', again);
  on('series', () => {
    one.value = String(state.series);
    if (other.value === one.value) other.value = String(state.series ? 0 : 1);
    again();
  });
  const label = (text, select) => el('label', {}, `${text} `, select);
  place.replaceChildren(
    el('div', { class: 'filters' }, label('A', one), label('B', other), label('Machine', machine)),
    el('div', { class: 'plots drawn' }, figure, el('figure', { class: 'card' }, el('figcaption', { text: 'Ranked most differently' }), table)),
  );
  again();
}

function pairs({ m, a, b }) {
  const [x, y] = [partOf(m, a), partOf(m, b)];
  if (!x || !y) return [];
  return data.machines[m].clips.name
    .map((name, i) => ({ name, i, condition: data.machines[m].clips.condition[i], x: x.score[i], y: y.score[i], ranks: [x.rank[i], y.rank[i]] }))
    .filter((one) => one.x != null && one.y != null);
}

function drawScatter(chosen, width) {
  const found = pairs(chosen);
  if (!found.length) return el('p', { text: 'They have no clip of this machine in common.' });
  const side = Math.min(width, 460);
  const box = { left: 62, right: side - 14, top: 12, bottom: side - 50 };
  const plot = frame(side, side, 'Scores of both methods, a point a clip');
  const [x, y] = [fit(found.map((one) => one.x), box.left + 8, box.right - 8), fit(found.map((one) => one.y), box.bottom - 8, box.top + 8)];
  x.ticks = ticksOf(Math.min(...found.map((one) => one.x)), Math.max(...found.map((one) => one.x)), 4);
  y.ticks = ticksOf(Math.min(...found.map((one) => one.y)), Math.max(...found.map((one) => one.y)), 4);
  axes(plot, box, x, y, [`A: ${data.series[chosen.a].name}`, `B: ${data.series[chosen.b].name}`], (value) => number(value, 3));
  for (const [s, horizontal] of [[chosen.a, false], [chosen.b, true]]) {
    const { threshold } = partOf(chosen.m, s);
    if (threshold == null) continue;
    const at = horizontal ? y(threshold) : x(threshold);
    const inside = horizontal ? at >= box.top && at <= box.bottom : at >= box.left && at <= box.right;
    if (inside) plot.append(svg('path', { class: 'rule thin', d: horizontal ? `M${box.left} ${at}H${box.right}` : `M${at} ${box.top}V${box.bottom}` }));
  }
  for (const [condition, mark] of [['normal', 'circle'], ['anomaly', 'cross'], [null, 'square']]) {
    const own = found.filter((one) => one.condition === condition).map((one) => [x(one.x), y(one.y)]);
    plot.append(svg('path', { class: `mark ${mark} ${condition || 'all'}`, d: marks(own, mark) }));
  }
  plot.addEventListener('click', (event) => {
    const [px, py] = pointer(plot, event);
    const far = (one) => (x(one.x) - px) ** 2 + (y(one.y) - py) ** 2;
    const best = found.reduce((a, b) => (far(b) < far(a) ? b : a));
    if (far(best) < 24 ** 2) openClip(chosen.m, best.name, { play: true });
  });
  return plot;
}

function apartTable(chosen) {
  const found = pairs(chosen).sort((p, q) => Math.abs(q.ranks[0] - q.ranks[1]) - Math.abs(p.ranks[0] - p.ranks[1]) || p.i - q.i).slice(0, MOST_APART);
  const head = ['Clip', 'Truth', 'No. by A', 'No. by B', 'Nearer the truth'].map((text) => el('th', { scope: 'col', text }));
  const body = found.map((one) => {
    const button = el('button', { type: 'button', class: 'quiet', onclick: () => openClip(chosen.m, one.name, { play: true }) }, named(short(one.name)));
    const [a, b] = one.ranks;
    const higher = a < b ? 'A' : 'B';
    const better = a === b || !one.condition ? '–' : one.condition === 'anomaly' ? higher : higher === 'A' ? 'B' : 'A';
    const cells = [one.condition || '–', String(a), String(b), better].map((text) => el('td', { text }));
    return el('tr', {}, el('th', { scope: 'row' }, button), ...cells);
  });
  return el('table', {}, el('thead', {}, el('tr', {}, ...head)), el('tbody', {}, ...body));
}
