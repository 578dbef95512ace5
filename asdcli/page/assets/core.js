// What the page knows, what was chosen on it, and small helpers. Names are only ever set as text.
const data = JSON.parse(document.getElementById('payload').textContent);
const state = { series: 0, other: 1, cuts: new Map(), clip: null };

const heard = new Map();
function on(event, hear) {
  heard.set(event, [...(heard.get(event) || []), hear]);
}
function tell(event, what) {
  for (const hear of heard.get(event) || []) hear(what);
}

function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'text') made.textContent = value;
    else if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, '');
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((one) => one != null));
  return made;
}

function named(text) {
  return el('bdi', { text: text == null ? '–' : text });
}

function number(value, digits = 4) {
  if (value == null || Number.isNaN(value)) return '–';
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e6)) return value.toExponential(2);
  return String(Number(value.toPrecision(digits)));
}

function percent(value) {
  if (value == null) return '–';
  const shown = 100 * value;
  return `${shown >= 10 || shown === 0 ? shown.toFixed(0) : number(shown, 2)} %`;
}

function count(n, what) {
  return `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`;
}

// the last i with at[i - 1] <= value: how many of the ascending numbers are no larger
function upTo(at, value) {
  let low = 0;
  let high = at.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

// what an engineer calls what the challenge calls a clip
const WHAT = data.kind === 'tested' ? 'clip' : 'recording';
const moment = (when) => (when == null ? '–' : when.replace('T', ' ').replace(/:00$/, ''));
const short = (name) => name.slice(name.lastIndexOf('/') + 1) || name;

// all clips of all machines, a row each
const rows = [];
const rowOf = new Map();
data.machines.forEach((machine, m) => {
  machine.clips.name.forEach((name, i) => {
    const row = { m, i, name, machine: machine.name, number: rows.length };
    for (const key of ['section', 'domain', 'condition', 'attributes', 'verdict', 'said', 'when', 'events']) {
      row[key] = machine.clips[key] ? machine.clips[key][i] : null;
    }
    rows.push(row);
    rowOf.set(`${m} ${name}`, row);
  });
});

const partOf = (m, s = state.series) => data.machines[m].series[s];
function valueOf(row, key, s = state.series) {
  const part = partOf(row.m, s);
  return part && part[key] && part[key].length ? part[key][row.i] : null;
}

// thresholds: the one that was set, or the one that somebody dragged; `index` counts cuts from below all scores
function cutOf(m, s = state.series) {
  const part = partOf(m, s);
  if (!part) return null;
  const at = part.cuts.at;
  const key = `${m} ${s}`;
  const index = state.cuts.has(key) ? state.cuts.get(key) : firstCut(part);
  return { index, moved: state.cuts.has(key), value: index ? at[index - 1] : part.edges[0], below: !index };
}
function firstCut(part) {
  if (part.threshold != null) return upTo(part.cuts.at, part.threshold);
  const shares = part.cuts.false_alarms[0] == null ? part.cuts.learned : part.cuts.false_alarms;
  const found = shares.findIndex((share) => share != null && share <= 0.1);
  return found < 0 ? part.cuts.at.length : found;
}
function moveCut(m, index) {
  const part = partOf(m);
  state.cuts.set(`${m} ${state.series}`, Math.max(0, Math.min(part.cuts.at.length, index)));
  tell('cut', m);
}
function resetCut(m) {
  state.cuts.delete(`${m} ${state.series}`);
  tell('cut', m);
}
const decides = (m, s = state.series) => {
  const part = partOf(m, s);
  return Boolean(part) && (part.threshold != null || state.cuts.has(`${m} ${s}`));
};

// what is decided on a clip: alarm, quiet, or null where nobody decides
function decisionOf(row, s = state.series) {
  if (row.verdict && !state.cuts.has(`${row.m} ${s}`)) return row.verdict;
  const score = valueOf(row, 'score', s);
  if (score == null || !decides(row.m, s)) return null;
  const cut = cutOf(row.m, s);
  const alarm = cut.below || score > cut.value;
  if (data.kind !== 'tested') return alarm ? 'suspicious' : 'normal';
  return alarm ? 'alarm' : 'quiet';
}

// how that compares with the truth
const OUTCOMES = {
  miss: { sign: '✕', words: 'missed' },
  false: { sign: '!', words: 'false alarm' },
  hit: { sign: '✓', words: 'found' },
  right: { sign: '·', words: 'rightly quiet' },
  alarm: { sign: '▲', words: 'alarm' },
  quiet: { sign: '–', words: 'quiet' },
  suspicious: { sign: '▲', words: 'suspicious' },
  normal: { sign: '·', words: 'normal' },
  'not judged': { sign: '?', words: 'not judged' },
  unusable: { sign: '?', words: 'unusable' },
};
function outcomeOf(row, s = state.series) {
  const decision = decisionOf(row, s);
  if (decision !== 'alarm' && decision !== 'quiet') return decision;
  if (row.condition === 'anomaly') return decision === 'alarm' ? 'hit' : 'miss';
  if (row.condition === 'normal') return decision === 'alarm' ? 'false' : 'right';
  return decision;
}
function badge(outcome) {
  const known = OUTCOMES[outcome];
  if (!known) return el('span', { class: 'badge none', text: '–' });
  const sign = el('span', { class: 'sign', 'aria-hidden': 'true', text: known.sign });
  return el('span', { class: `badge ${outcome.replace(' ', '-')}` }, sign, ` ${known.words}`);
}
