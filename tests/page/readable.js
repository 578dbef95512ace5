() => { // texts below 12 px, and texts whose contrast is below 4.5 (WCAG 2.1, 1.4.3)
  const [small, faint] = [[], []];
  let texts = 0;
  const seen = (el) => {
    const box = el.getBoundingClientRect();
    return box.width && box.height && getComputedStyle(el).visibility !== 'hidden';
  };
  const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const linear = (v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const bright = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const paperOf = (el) => {
    for (let one = el; one; one = one.parentElement) {
      const colour = rgba(getComputedStyle(one).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const el = walk.currentNode.parentElement;
    const text = walk.currentNode.textContent.trim().slice(0, 30);
    if (!text || /^(SCRIPT|STYLE|NOSCRIPT|OPTION)$/.test(el.tagName) || !seen(el)) continue;
    texts += 1;
    const style = getComputedStyle(el);
    const ink = rgba(el instanceof SVGElement ? style.fill : style.color);
    const [high, low] = [bright(ink), bright(paperOf(el))].sort((x, y) => y - x);
    if (parseFloat(style.fontSize) < 12) small.push(text);
    if ((high + 0.05) / (low + 0.05) < 4.5) faint.push([text, style.color]);
  }
  return { texts, small, faint };
}
