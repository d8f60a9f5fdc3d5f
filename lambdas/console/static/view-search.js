// Finds messages by an identifier. What is searched for is sent in the body of a request,
// and stays in memory alone: it is in no address, title or storage.

import { h, fill } from './dom.js';
import { cells, messageTable } from './message-table.js';
import { stepper } from './table.js';

const kinds = [
  ['patient', 'Patient identifier (PID-3)'],
  ['account', 'Account number (PID-18)'],
  ['visit', 'Visit number (PV1-19)'],
  ['order', 'Order number (ORC-2, ORC-3, OBR-2, OBR-3)'],
  ['control-id', 'Message control id (MSH-10)'],
  ['', 'Another kind'],
];

export async function show(place, context) {
  const { api, session, signal, kept } = context;
  const body = h('tbody');
  const status = h('p', { class: 'status', role: 'status' });
  const found = messageTable('Messages that were found, newest first', body);
  const more = h('button', { hidden: true, onclick: () => ask(false) }, 'Load more');
  const field = (label, control) => h('label', {}, h('span', {}, label), control);
  const input = (name, properties) => h('input', { name, autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off', ...properties });
  const other = field('Name of the kind', input('other', { size: '14' }));
  const form = h('form', { class: 'filters', 'aria-label': 'Search', onsubmit: (event) => { event.preventDefault(); ask(true); }, onchange: choose },
    field('Kind', h('select', { name: 'kind' }, kinds.map(([value, label]) => h('option', { value }, label)))),
    other,
    field('Value', input('value', { required: true, size: '24' })),
    field('Assigning authority, if known', input('authority', { size: '14' })),
    session.reads.length > 1 && field('Sender', h('select', { name: 'owner' }, h('option', { value: '' }, 'all'), session.reads.map((name) => h('option', {}, name)))),
    h('button', { type: 'submit', class: 'primary' }, 'Search'));
  let asked = null; // the last question, with which the next page is asked for
  let cursor = '';

  fill(place, h('h1', {}, 'Search'), form, status, found, more);
  found.hidden = true;
  choose();
  const step = stepper(body);
  context.keys('Search', {
    j: ['Next message', () => step(1)],
    k: ['Message before', () => step(-1)],
    '/': ['Search', () => form.elements.value.focus()],
  });
  if (kept.search) restore(kept.search);
  form.elements.value.focus();

  function choose() {
    other.hidden = form.elements.kind.value !== '';
  }

  // restore shows what was found before the person opened one of the messages.
  function restore({ fields, messages, next }) {
    for (const [name, value] of Object.entries(fields)) form.elements[name].value = value;
    choose();
    asked = questionOf(fields);
    draw(messages, next);
  }

  async function ask(anew) {
    if (anew) {
      asked = questionOf(Object.fromEntries(new FormData(form)));
      fill(body);
      delete kept.search;
      cursor = '';
    }
    more.disabled = true;
    status.textContent = 'Searching …';
    try {
      const page = await api.post('/messages/search', { ...asked, cursor: cursor || undefined }, signal);
      draw(page.messages, page.cursor ?? '');
      kept.search = { fields: Object.fromEntries(new FormData(form)), messages: [...(anew ? [] : kept.search?.messages ?? []), ...page.messages], next: cursor };
    } catch (error) {
      if (signal.aborted) return;
      status.textContent = error.status === 404 && error.code === '' ? 'Search is not switched on here.' : error.message;
    }
    more.disabled = false;
  }

  function draw(messages, next) {
    cursor = next;
    body.append(...messages.map((message) => h('tr', {}, cells(message))));
    found.hidden = body.childElementCount === 0;
    more.hidden = cursor === '';
    status.textContent = body.childElementCount === 0 ? 'No message has this value.' : `${body.childElementCount} found`;
  }
}

function questionOf({ kind, other, value, authority, owner }) {
  return { kind: kind || other.trim(), value: value.trim(), authority: authority.trim() || undefined, owner: owner || undefined };
}
