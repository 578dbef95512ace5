// The section of a machine: its plots are drawn when it comes into view, and all of them before printing.
const sections = new Map();

function drawMachine(m) {
  if (sections.has(m)) return;
  const place = document.getElementById(`machine-${m}`).querySelector('.plots');
  const cards = [overTime(m), distribution(m), rocPlot(m), mapPlot(m), alphaPlot(m)].filter(Boolean);
  sections.set(m, cards);
  const across = cards.filter((one) => one.wide);
  place.before(el('div', { class: 'across' }, ...across));
  place.replaceChildren(...cards.filter((one) => !one.wide));
  place.classList.add('drawn');
}

function refresh(m) {
  for (const one of sections.get(m) || []) one.refresh();
}

function startMachines() {
  const watch = new IntersectionObserver(
    (seen) => seen.filter((one) => one.isIntersecting).forEach((one) => {
      watch.unobserve(one.target);
      drawMachine(Number(one.target.dataset.machine));
    }),
    { rootMargin: '400px' },
  );
  document.querySelectorAll('section.machine').forEach((one) => watch.observe(one));
  on('cut', refresh);
  on('series', () => data.machines.forEach((_, m) => refresh(m)));
  on('every', () => data.machines.forEach((_, m) => refresh(m)));
  window.addEventListener('beforeprint', () => data.machines.forEach((_, m) => drawMachine(m)));
}

// checked recordings one after the other: how far above or below the threshold
function overTime(m) {
  if (data.kind !== 'checked' || !partOf(m)) return null;
  const made = card('Recordings one after the other', (width) => drawTime(m, width), { wide: true });
  made.refresh = made.redraw;
  return made;
}

function drawTime(m, width) {
  const part = partOf(m);
  const clips = data.machines[m].clips;
  const box = { left: 54, right: width - 14, top: 14, bottom: 190 };
  const plot = frame(width, 234, 'Scores of the recordings in their order');
  const order = clips.name.map((_, i) => i).sort((a, b) => ((clips.when[a] || clips.name[a]) < (clips.when[b] || clips.name[b]) ? -1 : 1));
  const values = part.score.filter((one) => one != null).concat(part.threshold == null ? [] : [part.threshold]);
  const room = 0.08 * (Math.max(...values) - Math.min(...values)) || 1;
  const [low, high] = [Math.min(...values) - room, Math.max(...values) + room];
  const x = scale(0, Math.max(order.length - 1, 1), box.left + 8, box.right - 8);
  const y = scale(low, high, box.bottom, box.top);
  y.ticks = ticksOf(low, high, 4);
  const nameOf = (i) => (clips.when[i] ? moment(clips.when[i]) : short(clips.name[i]));
  const ends = order.length ? [nameOf(order[0]), nameOf(order.at(-1))] : [];
  axes(plot, box, x, y, [null, 'anomaly score']);
  plot.append(svg('text', { class: 'name', x: box.left, y: box.bottom + 20, text: ends[0] }));
  if (order.length > 1 && width > 560) plot.append(svg('text', { class: 'name', x: box.right, y: box.bottom + 20, 'text-anchor': 'end', text: ends[1] }));
  const cut = cutOf(m);
  plot.append(svg('path', { class: 'rule', d: `M${box.left} ${y(cut.value)}H${box.right}` }), svg('text', { class: 'name', x: box.right, y: y(cut.value) - 5, 'text-anchor': 'end', text: 'threshold' }));
  const above = (i) => part.score[i] > cut.value;
  for (const [style, mark, wanted] of [['normal', 'circle', false], ['anomaly', 'cross', true]]) {
    const own = order.map((i, at) => [i, at]).filter(([i]) => part.score[i] != null && above(i) === wanted);
    plot.append(svg('path', { class: `mark ${mark} ${style}`, d: marks(own.map(([i, at]) => [x(at), y(part.score[i])]), mark) }));
  }
  plot.addEventListener('click', (event) => {
    const at = Math.round(x.back(pointer(plot, event)[0]));
    if (at >= 0 && at < order.length) openClip(m, clips.name[order[at]], { play: true });
  });
  return plot;
}
