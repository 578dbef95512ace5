// ROC curves of a section, the region of pAUC, and where the threshold stands on them.
const DASHES = { source: '', target: '7 3', null: '8 3 2 3' };

function rocPlot(m) {
  if (!data.machines[m].series.some((part) => part && part.curves.length)) return null;
  const chosen = el('select', { 'aria-label': 'Section' });
  const below = el('div', {}, chosen, el('div'));
  const made = card('ROC', (width) => drawRoc(m, chosen.value, width), { below });
  const fill = () => {
    const curves = partOf(m) ? partOf(m).curves : [];
    const sections = [...new Set(curves.map((one) => one.section))];
    const before = chosen.value;
    chosen.replaceChildren(...sections.map((one) => el('option', { value: one, text: `section ${one || '–'}` })));
    if (sections.includes(before)) chosen.value = before;
    chosen.hidden = sections.length < 2;
    const own = curves.filter((one) => one.section === chosen.value);
    below.lastChild.replaceWith(key([...own.map(saidOf), { mark: 'circle', style: 'here', text: 'the threshold, on all clips' }]));
  };
  chosen.addEventListener('change', () => made.refresh());
  made.refresh = () => {
    fill();
    made.redraw();
  };
  fill();
  return made;
}

function saidOf(curve) {
  const partial = curve.pauc == null ? '' : `, pAUC ${number(curve.pauc)}`;
  const text = `${curve.domain || 'all'}: AUC ${number(curve.auc)}${partial} (${curve.n_normal} normal, ${curve.n_anomalous} anomalous)`;
  return { line: DASHES[curve.domain], style: curve.domain || 'all', text };
}

function drawRoc(m, section, width) {
  const part = partOf(m);
  const side = Math.min(width, 420);
  const box = { left: 50, right: side - 12, top: 12, bottom: side - 50 };
  const plot = frame(side, side, 'ROC curves');
  const x = scale(0, 1, box.left, box.right);
  const y = scale(0, 1, box.bottom, box.top);
  x.ticks = y.ticks = [0, 0.25, 0.5, 0.75, 1];
  const edge = x(data.max_fpr);
  plot.append(svg('rect', { class: 'region', x: box.left, y: box.top, width: edge - box.left, height: box.bottom - box.top }));
  axes(plot, box, x, y, ['false alarms (share of normal clips)', 'anomalies found (share)']);
  plot.append(
    svg('text', { class: 'region-name', x: edge + 5, y: box.bottom - 8, text: `pAUC: up to ${percent(data.max_fpr)}` }),
    svg('path', { class: 'chance', d: `M${box.left} ${box.bottom}L${box.right} ${box.top}` }),
  );
  const curves = part ? part.curves.filter((one) => one.section === section) : [];
  for (const curve of curves) {
    const points = curve.x.map((at, i) => [x(at), y(curve.y[i])]);
    plot.append(svg('path', { class: `curve ${curve.domain || 'all'}`, 'stroke-dasharray': DASHES[curve.domain] || null, d: line(points) }));
  }
  const cut = part && cutOf(m);
  if (cut && part.cuts.recall[cut.index] != null && part.cuts.false_alarms[cut.index] != null) {
    const at = [x(part.cuts.false_alarms[cut.index]), y(part.cuts.recall[cut.index])];
    plot.append(svg('circle', { class: 'here', cx: at[0], cy: at[1], r: 6 }));
  }
  return plot;
}
