// The clip that was chosen: how it sounds and looks beside its nearest normal one, and what differs.
const player = document.getElementById('player');
const shown = { row: null, differs: false, from: null };

function openClip(m, name, { play: sounds = false, focus = true } = {}) {
  const row = rowOf.get(`${m} ${name}`) || { m, name, machine: data.machines[m].name, learned: true };
  shown.row = row;
  shown.differs = false;
  if (player.hidden) shown.from = document.activeElement;
  const near = nearestOf(row);
  decks.on = 'A';
  load('A', name);
  load('B', near);
  player.hidden = false;
  document.body.classList.add('playing');
  drawPlayer();
  if (focus) player.querySelector('h2').focus({ preventScroll: true });
  if (sounds && decks.A.sound) play('A');
  tell('clip', row);
}

function closeClip() {
  stop();
  player.hidden = true;
  document.body.classList.remove('playing');
  shown.row = null;
  if (shown.from && document.contains(shown.from)) shown.from.focus();
  tell('clip', null);
}

function nearestOf(row) {
  const why = data.reasons[row.name];
  if (why && why.nearest.length) return why.nearest[0][0];
  return row.learned ? null : valueOf(row, 'nearest');
}

function drawPlayer() {
  const { row } = shown;
  const head = el('h2', { tabindex: -1 }, named(short(row.name)));
  const close = el('button', { type: 'button', class: 'close', 'aria-label': 'Close', text: '✕', onclick: closeClip });
  const why = data.reasons[row.name];
  player.replaceChildren(
    el('div', { class: 'head' }, head, close),
    el('p', { class: 'whole' }, named(row.name)),
    labelsOf(row),
    scoreOf(row),
    transport(why),
    spectrum('A', row.learned ? 'this normal recording' : `this ${WHAT}`),
    decks.B.name == null ? null : spectrum('B', 'nearest normal recording'),
    ...whyOf(row, why),
  );
  paint();
}

function labelsOf(row) {
  const known = [row.machine, row.section && `section ${row.section}`, row.domain, row.condition && `truth: ${row.condition}`, row.attributes, row.when && moment(row.when)];
  const chips = known.filter(Boolean).map((text) => el('li', {}, named(text)));
  if (row.learned) chips.push(el('li', { text: 'learned from' }));
  const outcome = row.learned ? null : outcomeOf(row);
  if (outcome) chips.push(el('li', { class: 'decided' }, badge(outcome)));
  return el('ul', { class: 'chips' }, ...chips);
}

function scoreOf(row) {
  const score = row.learned ? null : valueOf(row, 'score');
  if (score == null) return el('p', { class: 'score', text: row.said || (row.learned ? 'A normal recording that others are held against.' : 'No score.') });
  const part = partOf(row.m);
  const parts = [`Score ${number(score)}`];
  if (part.threshold != null) parts.push(`${number(score / part.threshold, 3)} × the threshold of ${number(part.threshold)}`);
  parts.push(`no. ${valueOf(row, 'rank')} of ${part.score.length}`);
  const p = valueOf(row, 'p');
  if (p != null) parts.push(`p ${number(p, 2)} among normal ${WHAT}s`);
  const group = valueOf(row, 'p_group');
  if (group != null) parts.push(`${number(group, 2)} as of a new group`);
  return el('p', { class: 'score', text: `${parts.join(' · ')}.${row.said ? ` ${row.said}.` : ''}` });
}

function transport(why) {
  const button = (attributes, text, click) => el('button', { type: 'button', ...attributes, text, onclick: click });
  const made = el(
    'div',
    { class: 'transport', role: 'group', 'aria-label': 'Play' },
    button({ id: 'play', class: 'main', disabled: !decks.A.sound }, 'Play', () => (isPlaying() ? stop() : play())),
    button({ id: 'deck-A', 'aria-pressed': 'true', disabled: !decks.A.sound }, 'A: this', () => play('A')),
    button({ id: 'deck-B', 'aria-pressed': 'false', disabled: !decks.B.sound }, 'B: normal', () => play('B')),
  );
  if (why && why.difference) {
    made.append(button({ id: 'differs', 'aria-pressed': 'false' }, 'Show the difference', () => {
      shown.differs = !shown.differs;
      document.getElementById('differs').setAttribute('aria-pressed', String(shown.differs));
      paint();
    }));
    shown.image = picture(why.difference);
  } else shown.image = null;
  return made;
}

function spectrum(letter, what) {
  const { sound, name } = decks[letter];
  const caption = el('figcaption', {}, el('strong', { text: `${letter} ` }), `${what}: `, named(name == null ? null : short(name)));
  if (!sound) {
    const why = data.reasons[shown.row.name] || Object.keys(data.sounds).length ? `Its sound is not in this page${data.kind === 'checked' ? '.' : ': asd report --audio folder.'}` : 'No sounds are in this page.';
    return el('figure', { class: 'spectrum' }, caption, el('p', { class: 'note', text: why }));
  }
  const canvas = el('canvas', { id: `spectrum-${letter}`, role: 'img', 'aria-label': `Spectrogram of ${letter}; click to play from there` });
  canvas.addEventListener('click', (event) => {
    const box = canvas.getBoundingClientRect();
    seek(letter, Math.min(Math.max((event.clientX - box.left - LEFT) / (box.width - LEFT), 0), 1));
  });
  const figure = el('figure', { class: 'spectrum' }, caption, canvas);
  if (sound.lasts_s < sound.of_s - 0.01) {
    figure.append(el('p', { class: 'note', text: `${number(sound.begins_s, 4)} to ${number(sound.begins_s + sound.lasts_s, 4)} s of ${number(sound.of_s, 5)} s.` }));
  }
  return figure;
}

const LEFT = 38;
const HIGH = 168;
const FOOT = 20;

function paint() {
  for (const letter of ['A', 'B']) {
    const canvas = document.getElementById(`spectrum-${letter}`);
    if (canvas) paintOne(canvas, letter);
  }
  const button = document.getElementById('play');
  if (!button) return;
  button.textContent = isPlaying() ? 'Pause' : 'Play';
  for (const letter of ['A', 'B']) document.getElementById(`deck-${letter}`).setAttribute('aria-pressed', String(decks.on === letter));
}

function paintOne(canvas, letter) {
  const { sound, image, audio } = decks[letter];
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  if (!width) return;
  canvas.width = width * ratio;
  canvas.height = (HIGH + FOOT) * ratio;
  const on = canvas.getContext('2d');
  const style = getComputedStyle(document.documentElement);
  on.scale(ratio, ratio);
  on.imageSmoothingEnabled = false;
  const drawn = letter === 'A' && shown.differs ? shown.image : image;
  if (drawn && drawn.complete && drawn.naturalWidth) on.drawImage(drawn, LEFT, 0, width - LEFT, HIGH);
  on.fillStyle = style.getPropertyValue('--soft');
  on.strokeStyle = style.getPropertyValue('--soft');
  on.font = '12px system-ui, sans-serif';
  on.textAlign = 'right';
  let last = HIGH + 20;
  for (const [share, text] of data.machines[shown.row.m].ticks) {
    const y = HIGH * (1 - share);
    if (last - y < 16 || y < 8) continue;
    last = y;
    on.fillText(text, LEFT - 6, Math.min(y + 4, HIGH));
  }
  on.fillText('kHz', LEFT - 6, 10);
  on.textAlign = 'center';
  for (const t of ticksOf(0, sound.lasts_s, 5)) {
    const x = LEFT + (t / sound.lasts_s) * (width - LEFT);
    on.fillText(`${number(t + sound.begins_s)} s`, Math.min(Math.max(x, LEFT + 12), width - 16), HIGH + 16);
  }
  if (letter === 'A') paintRegions(on, width);
  const at = LEFT + (Math.min(audio.currentTime / sound.lasts_s, 1) || 0) * (width - LEFT);
  on.fillStyle = '#ffffff';
  on.fillRect(at - 1.5, 0, 3, HIGH);
  on.fillStyle = decks.on === letter ? '#d6001c' : '#333333';
  on.fillRect(at - 0.5, 0, 1.5, HIGH);
}

function paintRegions(on, width) {
  const why = data.reasons[shown.row.name];
  if (!why) return;
  why.regions.forEach(([left, right, bottom, top], i) => {
    const x = LEFT + left * (width - LEFT);
    const [y, w, h] = [HIGH * (1 - top), (right - left) * (width - LEFT), HIGH * (top - bottom)];
    for (const [colour, thick] of [['#000000', 3.5], ['#ffffff', 1.5]]) {
      on.strokeStyle = colour;
      on.lineWidth = thick;
      on.strokeRect(x, y, w, h);
    }
    on.textAlign = 'left';
    on.fillStyle = '#000000';
    on.fillRect(x, y, 16, 16);
    on.fillStyle = '#ffffff';
    on.fillText(String(i + 1), x + 5, y + 12);
  });
}

function follow() {
  if (!player.hidden) paint();
  if (isPlaying()) requestAnimationFrame(follow);
}

function startPlayer() {
  on('sound', () => requestAnimationFrame(follow));
  on('picture', () => player.hidden || paint());
  on('cut', () => shown.row && redrawTop());
  on('series', () => shown.row && redrawTop());
  new ResizeObserver(() => player.hidden || paint()).observe(player);
  document.addEventListener('keydown', (event) => {
    if (player.hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    const inPlayer = player.contains(event.target) && event.target.tagName === 'BUTTON';
    if (event.key === 'Escape') closeClip();
    else if (event.key === 'a' || event.key === 'b') play(event.key.toUpperCase());
    else if (event.key === ' ' && !inPlayer && !event.target.closest('[role=grid], button')) isPlaying() ? stop() : play();
    else return;
    event.preventDefault();
  });
}

function redrawTop() {
  player.querySelector('.chips').replaceWith(labelsOf(shown.row));
  player.querySelector('.score').replaceWith(scoreOf(shown.row));
}
