// Everything begins here.
function startTheme() {
  const button = document.getElementById('theme');
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const remembered = () => {
    try {
      return localStorage.getItem('asd-theme');
    } catch {
      return null; // pages of a disk may be forbidden to remember
    }
  };
  const wear = (theme) => {
    document.documentElement.dataset.theme = theme;
    button.textContent = theme === 'dark' ? 'Light' : 'Dark';
    tell('picture');
  };
  wear(remembered() || (dark.matches ? 'dark' : 'light'));
  dark.addEventListener('change', () => remembered() || wear(dark.matches ? 'dark' : 'light'));
  button.addEventListener('click', () => {
    const theme = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    wear(theme);
    try {
      localStorage.setItem('asd-theme', theme);
    } catch {
      // then it holds until the page is closed
    }
  });
}

function startFirst() {
  const written = new Date(document.lastModified);
  if (!Number.isNaN(written.valueOf())) document.getElementById('written').prepend(`${written.toISOString().slice(0, 10)} `);
  const series = document.getElementById('series');
  if (series) {
    series.addEventListener('change', () => {
      state.series = Number(series.value);
      tell('series');
    });
  }
  const place = new Map(data.machines.map((one, m) => [one.name, m]));
  document.querySelectorAll('button.clip').forEach((button) => {
    button.addEventListener('click', () => openClip(place.get(button.dataset.machine), button.dataset.clip, { play: true }));
  });
}

startTheme();
startPlayer();
startMachines();
startList();
startCompare();
startFirst();
document.documentElement.dataset.ready = 'yes';
