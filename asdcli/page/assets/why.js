// Why a clip has its score: words made of figures, the bands that differ, and the normal recordings it is near to.
function whyOf(row, why) {
  const parts = [];
  if (row.events && row.events.length) {
    const items = row.events.map(([from, to, text]) => el('li', { text: `${number(from, 5)} to ${number(to, 5)} s: ${text}` }));
    parts.push(el('h3', { text: 'When' }), el('ul', {}, ...items));
  }
  if (!why) {
    if (!row.learned && data.kind !== 'checked') parts.push(el('p', { class: 'note', text: `Why: asd explain ${row.name}` }));
    return parts;
  }
  const numbers = why.regions.map((one) => one[4]);
  const items = why.words.map((text) => {
    const at = numbers.indexOf(text);
    return el('li', {}, at < 0 ? null : el('span', { class: 'region-number', text: String(at + 1) }), text);
  });
  parts.push(el('h3', { text: 'What differs from normal' }), el('ul', { class: 'differences' }, ...items));
  if (why.bands.length) parts.push(bandsOf(row, why));
  if (why.nearest.length) parts.push(el('h3', { text: 'Nearest normal recordings' }), nearList(row, why));
  parts.push(...why.notes.map((text) => el('p', { class: 'note', text })));
  return parts;
}

function bandsOf(row, why) {
  const most = Math.max(6, ...why.bands.map(Math.abs));
  const [width, height] = [320, 128];
  const box = { left: 44, right: width - 8, top: 8, bottom: height - 26 };
  const plot = svg('svg', { viewBox: `0 0 ${width} ${height}`, class: 'plot bands', role: 'img', 'aria-label': `Mean level by band, from ${number(Math.min(...why.bands))} to ${number(Math.max(...why.bands))} dB above normal` });
  const y = scale(-most, most, box.bottom, box.top);
  y.ticks = [-Math.round(most), 0, Math.round(most)];
  const x = scale(0, 1, box.left, box.right);
  axes(plot, box, x, y, []);
  const step = (box.right - box.left) / why.bands.length;
  why.bands.forEach((db, i) => {
    const [from, to] = [Math.min(y(0), y(db)), Math.max(y(0), y(db))];
    plot.append(svg('rect', { class: db > 0 ? 'louder' : 'quieter', x: box.left + i * step + 0.5, y: from, width: step - 1, height: Math.max(to - from, 0.5) }));
  });
  let last = -40;
  for (const [share, text] of data.machines[row.m].ticks) {
    if (x(share) - last < 40) continue;
    last = x(share);
    plot.append(svg('text', { x: last, y: height - 8, 'text-anchor': 'middle', text: `${text}k` }));
  }
  const caption = el('figcaption', { text: 'Mean level by band, in dB above the median of normal recordings (Hz)' });
  return el('figure', { class: 'small' }, caption, plot);
}

function nearList(row, why) {
  const items = why.nearest.map(([name, distance]) => {
    const told = [named(short(name)), distance == null ? '' : ` at ${number(distance, 3)}`];
    if (!data.sounds[name]) return el('li', {}, ...told);
    const hear = el('button', { type: 'button', class: 'quiet', text: 'hear as B', onclick: () => {
      load('B', name);
      drawPlayer();
      play('B');
    } });
    return el('li', {}, ...told, ' ', hear);
  });
  return el('ol', {}, ...items);
}
