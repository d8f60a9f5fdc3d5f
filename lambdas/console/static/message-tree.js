// A message as a tree with names: segments, in each its fields, in these their parts.

import { h } from './dom.js';
import { size } from './format.js';

// A message of so many segments and groups is shown open.
const few = 40;

// tree shows the segments of a page of the view. A segment's fields are made when it is
// opened, which those of a short message are. whole returns the whole value at a path of a
// segment.
export function tree(view, whole) {
  const segments = [];
  let group = '';
  for (const segment of view.segments ?? []) {
    const here = (segment.groups ?? []).join(' › ');
    if (here !== group) segments.push(h('p', { class: 'group' }, here));
    group = here;
    segments.push(segmentOf(segment, whole));
  }
  const all = (open) => element.querySelectorAll('details').forEach((details) => { details.open = open; });
  const element = h('div', { class: 'tree' },
    h('div', { class: 'bar' }, h('button', { onclick: () => all(true) }, 'Open all'), h('button', { onclick: () => all(false) }, 'Close all')),
    segments);
  if (segments.length <= few) all(true);
  return element;
}

function segmentOf(segment, whole) {
  const details = h('details', { ontoggle: () => {
    if (details.open && details.childElementCount === 1) details.append(fields(segment, whole));
  } }, h('summary', {}, h('code', { class: 'name' }, segment.name ?? ''), ' ', segment.title ?? segment.text ?? '',
    h('span', { class: 'faint' }, ` ${segment.index + 1}`)));
  return details;
}

function fields(segment, whole) {
  const rows = (segment.fields ?? []).flatMap((field) => field.repetitions.flatMap((node) => rowsOf(segment.index, node, field, 0, whole)));
  return h('table', {},
    h('caption', { class: 'hidden' }, `Fields of ${segment.name}`),
    h('thead', {}, h('tr', {}, ['Place', 'Name', 'Type', 'Value', 'Meaning'].map((name) => h('th', { scope: 'col' }, name)))),
    h('tbody', {}, rows));
}

// rowsOf makes a row of an element, then those of its parts. What was not sent has none.
function rowsOf(index, node, field, depth, whole) {
  if (!node.raw && !node.parts) return [];
  const value = h('span', { class: 'text' }, node.text ?? node.raw ?? '');
  const more = node.folded && h('button', { class: 'unfold', onclick: async () => {
    more.disabled = true;
    try {
      value.textContent = await whole(index, node.path, 'text');
      more.remove();
    } catch (error) {
      more.disabled = false;
      more.textContent = error.message;
    }
  } }, `… ${size(node.folded)} more`);
  const row = h('tr', { class: `depth${depth}` },
    h('td', {}, h('code', {}, node.path.replace('[1]', ''))),
    h('td', {}, node.name ?? (depth === 0 ? field.name : '') ?? ''),
    h('td', { class: 'faint' }, (node.type ?? (depth === 0 ? field.type : '')) || '', node.table ? ` ${node.table}` : ''),
    h('td', { class: 'cell' }, value, more),
    h('td', { class: 'meaning' }, node.meaning ?? ''));
  return [row, ...(node.parts ?? []).flatMap((part) => rowsOf(index, part, field, depth + 1, whole))];
}
