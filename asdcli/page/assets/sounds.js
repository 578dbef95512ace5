// Two decks, A and B: one sounds, both stand at the same time, so that they can be told apart by ear.
const decks = { A: deck(), B: deck(), on: 'A' };
document.body.append(decks.A.audio, decks.B.audio);

function deck() {
  const audio = el('audio', { preload: 'auto' });
  audio.addEventListener('ended', () => tell('sound'));
  audio.addEventListener('pause', () => tell('sound'));
  audio.addEventListener('play', () => tell('sound'));
  return { audio, name: null, sound: null, image: null };
}

function load(letter, name) {
  const one = decks[letter];
  one.name = name;
  one.sound = name == null ? null : data.sounds[name] || null;
  one.image = null;
  one.audio.pause();
  if (!one.sound) {
    one.audio.removeAttribute('src');
    return;
  }
  one.audio.src = one.sound.audio;
  one.image = picture(one.sound.picture);
}

function picture(address) {
  const image = new Image();
  image.addEventListener('load', () => tell('picture'));
  image.src = address;
  return image;
}

const sounding = () => decks[decks.on].audio;
const isPlaying = () => !sounding().paused && !sounding().ended;

function play(letter = decks.on) {
  const before = sounding();
  const at = before.currentTime;
  const turned = letter !== decks.on;
  decks.on = letter;
  if (!decks[letter].sound) return tell('sound');
  before.pause();
  const now = sounding();
  if (turned && Number.isFinite(now.duration)) now.currentTime = at % now.duration;
  if (now.ended) now.currentTime = 0;
  const started = now.play();
  if (started) started.catch(() => tell('sound'));
  return tell('sound');
}

function stop() {
  decks.A.audio.pause();
  decks.B.audio.pause();
  tell('sound');
}

function seek(letter, share) {
  const { audio, sound } = decks[letter];
  if (!sound) return;
  audio.currentTime = share * sound.lasts_s;
  if (!isPlaying() || decks.on !== letter) play(letter);
}
