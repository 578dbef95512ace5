// The official score by VarMin's weight, and where its validation sets put it.
function alphaPlot(m) {
  if (!data.machines[m].series.some((part) => part && part.weights.length)) return null;
  const below = el('ul', { class: 'key' });
  const note = 'The curve knows the truth and is no way to choose; no validation set sees a label of a test clip.';
  const made = card("VarMin's weight", (width) => drawAlpha(m, width), { below, note });
  made.refresh = () => {
    const part = partOf(m);
    made.hidden = !part || !part.weights.length;
    if (!made.hidden) below.replaceChildren(...part.weights.flatMap((one) => chosenOf(one, part.weights.length > 1)));
    made.redraw();
  };
  made.refresh();
  return made;
}

const setsOf = (weights) => Object.keys(weights.chosen);

function chosenOf(weights, several) {
  return setsOf(weights).map((name, i) => {
    const [alpha, official] = weights.chosen[name];
    const text = `${several ? `${weights.unit} ` : ''}${i + 1} ${name}: α ${number(alpha, 3)}, ${number(official)}${name === weights.used ? ' (this method)' : ''}`;
    return el('li', name === weights.used ? { class: 'used' } : {}, el('span', { text }));
  });
}

function drawAlpha(m, width) {
  const part = partOf(m);
  if (!part || !part.weights.length) return el('p', { text: 'This method has no weight.' });
  const height = Math.min(width * 0.75, 340);
  const box = { left: 54, right: width - 14, top: 22, bottom: height - 46 };
  const plot = frame(width, height, "Official score by VarMin's weight");
  const values = part.weights.flatMap((one) => one.official).filter((value) => value != null);
  const alphas = part.weights.flatMap((one) => one.alpha);
  const room = 0.1 * (Math.max(...values) - Math.min(...values)) || 0.01;
  const x = scale(Math.min(...alphas), Math.max(...alphas), box.left, box.right);
  const [low, high] = [Math.min(...values) - room, Math.max(...values) + room];
  const y = scale(low, high, box.bottom, box.top);
  x.ticks = ticksOf(Math.min(...alphas), Math.max(...alphas));
  y.ticks = ticksOf(low, high);
  axes(plot, box, x, y, ['weight α', 'official score'], (value) => number(value, 3));
  part.weights.forEach((one, i) => {
    const points = one.alpha.map((at, j) => [at, one.official[j]]).filter(([, value]) => value != null);
    plot.append(svg('path', { class: 'curve all', 'stroke-dasharray': i ? `${2 + 2 * i} 3` : null, d: line(points.map(([a, v]) => [x(a), y(v)])) }));
    setsOf(one).forEach((name, number_) => plot.append(...chosenMark(one, name, number_, x, y, box)));
  });
  return plot;
}

function chosenMark(one, name, place, x, y, box) {
  const [alpha, official] = one.chosen[name];
  if (official == null || x(alpha) < box.left - 1 || x(alpha) > box.right + 1) return [];
  const at = [x(alpha), y(official)];
  const used = name === one.used ? ' used' : '';
  return [
    svg('circle', { class: `chosen${used}`, cx: at[0], cy: at[1], r: used ? 6 : 4 }),
    svg('text', { class: 'chosen-name', x: at[0], y: at[1] - 10, 'text-anchor': 'middle', text: String(place + 1) }),
  ];
}
