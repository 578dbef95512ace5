// Vectors on a plane: a click, or the arrow keys and Enter, play the clip of a point.
function mapOf(m) {
  const series = data.series[state.series];
  return data.machines[m].maps[series.run];
}

function mapPlot(m) {
  if (!Object.keys(data.machines[m].maps).length) return null;
  const said = el('p', { class: 'note', 'aria-live': 'polite' });
  const below = el('div', {}, el('div'), said);
  const made = card('Map of the vectors', (width) => drawMap(m, width, said), { below });
  made.refresh = () => {
    const map = mapOf(m);
    below.firstChild.replaceWith(map ? key(map.labels.map((text) => ({ ...lookOf(text), text }))) : el('div'));
    said.textContent = 'Click a point, or use the arrow keys and Enter, to look at its clip and play it.';
    made.redraw();
  };
  made.refresh();
  return made;
}

function lookOf(label) {
  const mark = label.startsWith('anomaly') ? 'cross' : label.startsWith('normal') ? 'circle' : label.startsWith('condition') ? 'square' : 'dot';
  const style = label.includes('target') ? 'target' : label.includes('source') ? 'source' : 'all';
  return { mark, style: `${style}${mark === 'dot' ? ' learned' : ''}` };
}

function drawMap(m, width, said) {
  const map = mapOf(m);
  if (!map) return el('p', { text: 'This run has no vectors.' });
  const height = Math.min(width, 420);
  const box = { left: 34, right: width - 12, top: 12, bottom: height - 34 };
  const plot = frame(width, height, 'Map of the vectors: each point is a clip');
  const [x, y] = [fit(map.x, box.left + 8, box.right - 8), fit(map.y, box.bottom - 8, box.top + 8)];
  axes(plot, box, {}, {}, []);
  plot.append(
    svg('text', { class: 'name', x: (box.left + box.right) / 2, y: box.bottom + 22, 'text-anchor': 'middle', text: map.axes[0] }),
    svg('text', { class: 'name', x: 20, y: (box.top + box.bottom) / 2, transform: `rotate(-90 20 ${(box.top + box.bottom) / 2})`, 'text-anchor': 'middle', text: map.axes[1] }),
  );
  const places = map.x.map((one, i) => [x(one), y(map.y[i])]);
  const order = map.labels.map((_, i) => i).sort((a, b) => Number(lookOf(map.labels[b]).mark === 'dot') - Number(lookOf(map.labels[a]).mark === 'dot'));
  for (const label of order) {
    const look = lookOf(map.labels[label]);
    const own = places.filter((_, i) => map.label[i] === label);
    plot.append(svg('path', { class: `mark ${look.mark} ${look.style}`, d: marks(own, look.mark) }));
  }
  const ring = svg('circle', { class: 'ring', r: 8, visibility: 'hidden' });
  plot.append(ring);
  pick(m, map, plot, places, ring, said);
  return plot;
}

function fit(values, start, end) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return scale(low, high > low ? high : low + 1, start, end);
}

function pick(m, map, plot, places, ring, said) {
  const byX = places.map((_, i) => i).sort((a, b) => places[a][0] - places[b][0]);
  let at = -1;
  const nameOf = (i) => (map.clip[i] < 0 ? map.name[i] : data.machines[m].clips.name[map.clip[i]]);
  const show = (i) => {
    at = i;
    ring.setAttribute('cx', places[i][0]);
    ring.setAttribute('cy', places[i][1]);
    ring.setAttribute('visibility', 'visible');
    said.replaceChildren(named(short(nameOf(i))), ` – ${map.labels[map.label[i]]}`);
  };
  const play = (i) => openClip(m, nameOf(i), { play: true });
  const nearest = (event) => {
    const [px, py] = pointer(plot, event);
    let best = -1;
    let least = 24 ** 2;
    places.forEach(([x, y], i) => {
      const far = (x - px) ** 2 + (y - py) ** 2;
      if (far < least) [best, least] = [i, far];
    });
    return best;
  };
  plot.setAttribute('tabindex', 0);
  plot.setAttribute('class', 'plot map');
  plot.addEventListener('pointermove', (event) => {
    const i = nearest(event);
    if (i >= 0) show(i);
  });
  plot.addEventListener('click', (event) => {
    const i = nearest(event);
    if (i < 0) return;
    show(i);
    play(i);
  });
  plot.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) show(byX[(byX.indexOf(at) + step + byX.length) % byX.length]);
    else if (event.key === 'Enter' && at >= 0) play(at);
    else return;
    event.preventDefault();
  });
}
