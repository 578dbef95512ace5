// SVG by hand: axes, marks and how wide a plot may be.
const SVG = 'http://www.w3.org/2000/svg';

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'text') made.textContent = value;
    else if (value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((one) => one != null));
  return made;
}

function scale(from, to, start, end) {
  const width = to - from || 1;
  const at = (value) => start + ((value - from) / width) * (end - start);
  at.back = (place) => from + ((place - start) / (end - start)) * width;
  return at;
}

// round numbers from low to high, about so many
function ticksOf(low, high, about = 5) {
  const span = high - low || 1;
  const rough = span / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((k) => k * power).find((one) => one >= rough);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i += 1) found.push(i * step);
  return found;
}

function frame(width, height, label) {
  return svg('svg', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': label, class: 'plot' });
}

function axes(plot, box, x, y, names, asText = number) {
  const made = svg('g', { class: 'axes' });
  made.append(svg('path', { class: 'axis', d: `M${box.left} ${box.top}V${box.bottom}H${box.right}` }));
  for (const value of x.ticks || []) {
    const at = x(value);
    made.append(
      svg('path', { class: 'tick', d: `M${at} ${box.bottom}v4` }),
      svg('text', { x: at, y: box.bottom + 17, 'text-anchor': 'middle', text: asText(value) }),
    );
  }
  for (const value of y.ticks || []) {
    const at = y(value);
    made.append(
      svg('path', { class: 'gridline', d: `M${box.left} ${at}H${box.right}` }),
      svg('text', { x: box.left - 6, y: at + 4, 'text-anchor': 'end', text: asText(value) }),
    );
  }
  const middle = (box.left + box.right) / 2;
  if (names[0]) made.append(svg('text', { class: 'name', x: middle, y: box.bottom + 34, 'text-anchor': 'middle', text: names[0] }));
  if (names[1]) {
    const up = (box.top + box.bottom) / 2;
    made.append(svg('text', { class: 'name', x: 13, y: up, transform: `rotate(-90 13 ${up})`, 'text-anchor': 'middle', text: names[1] }));
  }
  plot.append(made);
}

const line = (points) => points.map(([x, y], i) => `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');

// marks of many places as one path each: quick, and of different shapes
const MARKS = {
  dot: (x, y) => `M${x} ${y}m-1.8 0a1.8 1.8 0 1 0 3.6 0a1.8 1.8 0 1 0-3.6 0`,
  circle: (x, y) => `M${x} ${y}m-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0-7.2 0`,
  cross: (x, y) => `M${x - 3.8} ${y - 3.8}l7.6 7.6m0-7.6l-7.6 7.6`,
  square: (x, y) => `M${x - 3} ${y - 3}h6v6h-6z`,
};
function marks(places, mark) {
  return places.map(([x, y]) => MARKS[mark](Number(x.toFixed(1)), Number(y.toFixed(1)))).join('');
}

// a card of a plot; `draw(width)` gives the SVG, and is asked again when the width changes
function card(title, draw, { wide = false, below = null, note = null } = {}) {
  const place = el('div', { class: 'drawing' });
  const made = el('figure', { class: 'card' }, el('figcaption', { text: title }), place, below);
  if (note) made.append(el('p', { class: 'note', text: note }));
  made.wide = wide;
  let width = 0;
  made.redraw = () => {
    if (width) place.replaceChildren(draw(width));
  };
  new ResizeObserver(([entry]) => {
    const now = Math.floor(entry.contentRect.width);
    if (now && now !== width) {
      width = now;
      made.redraw();
    }
  }).observe(place);
  return made;
}

function pointer(plot, event) {
  const box = plot.getBoundingClientRect();
  const view = plot.viewBox.baseVal;
  return [((event.clientX - box.left) / box.width) * view.width, ((event.clientY - box.top) / box.height) * view.height];
}

// the key of a plot: marks or lines with what they stand for
function key(entries) {
  const items = entries.map(({ mark, line: dashes, style, text }) => {
    const sign = svg('svg', { width: 26, height: 14, viewBox: '0 0 26 14', 'aria-hidden': 'true', class: 'plot' });
    const d = mark ? MARKS[mark](13, 7) : 'M1 7H25';
    sign.append(svg('path', { d, class: `${mark ? `mark ${mark}` : 'curve'} ${style}`, 'stroke-dasharray': dashes || null }));
    return el('li', {}, sign, el('span', { text }));
  });
  return el('ul', { class: 'key' }, ...items);
}
