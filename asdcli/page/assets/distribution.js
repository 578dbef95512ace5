// How scores are spread, with a threshold that can be dragged; what it is worth was counted when the page was made.
const PER_DAY = [['10 s', 10], ['1 min', 60], ['10 min', 600], ['1 h', 3600], ['1 day', 86400]];
const time = { every: data.every_s };

function distribution(m) {
  const readout = el('div', { class: 'readout', 'aria-live': 'off' });
  const back = el('button', { type: 'button', class: 'quiet', text: 'Back to the threshold that was set', onclick: () => resetCut(m) });
  const below = el('div', {}, readout, back);
  const made = card('Scores and threshold', (width) => drawDistribution(m, width), { wide: true, below });
  const say = () => {
    const part = partOf(m);
    back.hidden = !part || part.threshold == null || !cutOf(m).moved;
    readout.replaceChildren(...(part ? told(m, part) : []));
  };
  made.refresh = () => {
    const focused = made.contains(document.activeElement) && document.activeElement.getAttribute('role') === 'slider';
    made.redraw();
    say();
    if (focused) made.querySelector('[role=slider]').focus();
  };
  say();
  return made;
}

function told(m, part) {
  const { index, moved, value, below } = cutOf(m);
  const { cuts } = part;
  const has = (name) => cuts[name][index] != null;
  const set = part.threshold != null;
  const whose = moved ? (set ? `moved; ${number(part.threshold)} was set` : 'yours') : set ? part.rule || 'as it was set' : 'none was set; this one is a suggestion';
  const figures = [['Threshold', below ? 'below all' : number(value), whose, 'threshold']];
  if (has('precision')) figures.push(['Precision', percent(cuts.precision[index]), 'of the alarms are right', 'precision']);
  if (has('recall')) figures.push(['Recall', percent(cuts.recall[index]), 'of the anomalies are found', 'recall']);
  if (has('false_alarms')) figures.push(['False alarms', percent(cuts.false_alarms[index]), data.kind === 'learned' ? 'of these recordings lie above' : `of the normal ${WHAT}s`, 'false-alarms']);
  if (has('learned')) figures.push(['Learned normals', percent(cuts.learned[index]), part.promised == null ? 'lie above' : `lie above; ${percent(part.promised)} promised`, 'learned']);
  figures.push(['Alarms', cuts.alarms[index].toLocaleString('en'), `of ${count(cuts.alarms[0], WHAT)}`, 'alarms']);
  const share = has('learned') ? cuts.learned[index] : cuts.false_alarms[index];
  const cards = figures.map(([name, figure, words, key]) => tile(name, figure, words, key));
  if (share != null) cards.push(perDay(share, has('learned') ? 'learned normals' : `normal ${WHAT}s`));
  return cards;
}

function tile(name, figure, words, key) {
  return el('div', { class: 'tile', 'data-figure': key }, el('span', { class: 'label', text: name }), el('strong', { text: figure }), el('span', { class: 'words', text: words }));
}

function perDay(share, of) {
  const choices = PER_DAY.some(([, s]) => s === time.every) ? PER_DAY : [...PER_DAY, [`${number(time.every)} s`, time.every]];
  const options = choices.map(([text, s]) => el('option', { value: s, text, selected: s === time.every }));
  const chosen = el('select', { 'aria-label': 'One recording every' }, ...options);
  chosen.addEventListener('change', () => {
    time.every = Number(chosen.value);
    tell('every');
  });
  const made = tile('False alarms a day', number((share * 86400) / time.every, 3), `by the ${of}, one recording every `, 'per-day');
  made.querySelector('.words').append(chosen);
  return made;
}

function drawDistribution(m, width) {
  const part = partOf(m);
  if (!part) return el('p', { text: 'This method has no scores here.' });
  const lane = 44;
  const box = { left: 10, right: width - 12, top: 26, bottom: 26 + part.heaps.length * lane };
  const plot = frame(width, box.bottom + 40, 'Histograms of scores, a row each kind of clip');
  plot.removeAttribute('role');
  const x = scale(part.edges[0], part.edges[1], box.left, box.right);
  x.ticks = ticksOf(part.edges[0], part.edges[1], Math.max(3, Math.floor(width / 110)));
  part.heaps.forEach((heap, i) => plot.append(drawHeap(heap, box, box.top + (i + 1) * lane, lane)));
  axes(plot, { ...box, top: box.bottom }, x, {}, ['anomaly score']);
  plot.append(handle(m, part, plot, x, box));
  return plot;
}

function drawHeap(heap, box, base, lane) {
  const most = Math.max(...heap.counts, 1);
  const step = (box.right - box.left) / heap.counts.length;
  const bars = heap.counts.map((n, i) => {
    const height = (n / most) * (lane - 20);
    return n ? `M${(box.left + i * step).toFixed(1)} ${base}v${-Math.max(height, 1.5).toFixed(1)}h${(step - 0.6).toFixed(1)}V${base}z` : '';
  });
  return svg(
    'g',
    { class: `heap ${heap.condition || 'unknown'}` },
    svg('path', { class: 'base', d: `M${box.left} ${base}H${box.right}` }),
    svg('path', { class: 'bars', d: bars.join('') }),
    svg('text', { x: box.left + 2, y: base - lane + 16, text: heap.label }),
    heap.beyond ? svg('text', { class: 'over', x: box.right - 2, y: base - lane + 16, 'text-anchor': 'end', text: `${heap.beyond} beyond →` }) : null,
  );
}

function handle(m, part, plot, x, box) {
  const cut = cutOf(m);
  const at = x(Math.max(part.edges[0], Math.min(part.edges[1], cut.value)));
  const n = part.cuts.at.length;
  const figures = told(m, part).map((one) => one.querySelector('.label').textContent + ' ' + one.querySelector('strong').textContent);
  const grip = svg(
    'g',
    {
      class: 'threshold', role: 'slider', tabindex: 0, 'aria-label': 'Threshold', 'aria-orientation': 'horizontal',
      'aria-valuemin': 0, 'aria-valuemax': n, 'aria-valuenow': cut.index, 'aria-valuetext': figures.join(', '),
    },
    svg('rect', { class: 'beyond', x: at, y: box.top - 4, width: Math.max(0, box.right - at), height: box.bottom - box.top + 4 }),
    svg('path', { class: 'rule', d: `M${at} ${box.top - 8}V${box.bottom}` }),
    svg('path', { class: 'grip', d: `M${at - 9} ${box.top - 22}h18v10l-9 8l-9 -8z` }),
  );
  const area = svg('rect', { class: 'drag', x: 0, y: 0, width: box.right + 12, height: box.bottom });
  area.addEventListener('pointerdown', (event) => dragging(m, part, x, plot, event));
  grip.addEventListener('pointerdown', (event) => dragging(m, part, x, plot, event));
  grip.addEventListener('keydown', (event) => {
    const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10, Home: -n, End: n };
    if (!(event.key in steps)) return;
    event.preventDefault();
    moveCut(m, cutOf(m).index + steps[event.key]);
  });
  return svg('g', {}, area, grip);
}

// the plot is drawn anew with each move, so what follows the pointer is the document
function dragging(m, part, x, plot, event) {
  event.preventDefault();
  const left = plot.getBoundingClientRect().left;
  const ratio = plot.viewBox.baseVal.width / plot.getBoundingClientRect().width;
  const move = (of) => moveCut(m, upTo(part.cuts.at, x.back((of.clientX - left) * ratio)));
  const end = () => {
    document.removeEventListener('pointermove', move);
    document.removeEventListener('pointerup', end);
    document.removeEventListener('pointercancel', end);
  };
  document.addEventListener('pointermove', move);
  document.addEventListener('pointerup', end);
  document.addEventListener('pointercancel', end);
  move(event);
  const place = document.getElementById(`machine-${m}`).querySelector('[role=slider]');
  if (place) place.focus({ preventScroll: true });
}
