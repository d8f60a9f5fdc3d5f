// The list of messages, newest first. It is live: what comes is put on top, and what
// becomes of the newest is shown, for as long as somebody looks at the page.

import { h, fill } from './dom.js';
import { clock, day, moment } from './format.js';
import { link } from './routes.js';

// How often the list asks for what is new, and how long before the newest message it
// begins: the states of those may have changed, and some come late.
const every = 10_000;
const lookBack = 60_000;

const filters = ['owner', 'type', 'state', 'connector', 'from', 'to'];

export async function show(place, context) {
  const { api, session, route, signal, shell } = context;
  const chosen = Object.fromEntries(filters.map((name) => [name, route.query.get(name) ?? '']));
  const rows = new Map(); // by id
  const body = h('tbody');
  const status = h('span', { class: 'status', role: 'status' });
  const more = h('button', { hidden: true, onclick: () => loadMore() }, 'Load more');
  let cursor = '';
  let live = true;

  const liveButton = h('button', { class: 'toggle', 'aria-pressed': 'true', onclick: () => pause() }, 'Live');
  fill(place,
    h('h1', {}, 'Messages'),
    form(session, chosen),
    h('div', { class: 'bar' }, liveButton, status),
    h('table', { class: 'list' },
      h('caption', { class: 'hidden' }, 'Messages, newest first'),
      h('thead', {}, h('tr', {}, ['Received', 'Type', 'State', 'Sender', 'Message', 'Made by'].map((name) => h('th', { scope: 'col' }, name)))),
      body),
    more);
  context.keys('List', {
    j: ['Next message', () => step(1)],
    k: ['Message before', () => step(-1)],
    Enter: ['Open the message', () => document.activeElement.click()],
    '/': ['Filter', () => place.querySelector('form select, form input').focus()],
    m: ['Load more', () => { if (!more.hidden) loadMore(); }],
    p: ['Live, or not', () => pause()],
  });

  const first = await api.get('/messages', chosen, signal);
  cursor = first.cursor ?? '';
  first.messages.forEach((message) => body.append(rowOf(message)));
  settle();
  poll();

  function rowOf(message) {
    const row = h('tr', {}, cells(message));
    rows.set(message.id, { message, row });
    return row;
  }

  function settle() {
    more.hidden = cursor === '';
    status.textContent = rows.size === 0 ? 'No messages fit.' : `${rows.size} shown · ${clock(Date.now())}`;
  }

  async function loadMore() {
    more.disabled = true;
    try {
      const page = await api.get('/messages', { ...chosen, cursor }, signal);
      cursor = page.cursor ?? '';
      page.messages.filter(({ id }) => !rows.has(id)).forEach((message) => body.append(rowOf(message)));
      settle();
    } catch (error) {
      if (!signal.aborted) shell.say(error.message);
    }
    more.disabled = false;
  }

  function pause() {
    live = !live;
    liveButton.setAttribute('aria-pressed', String(live));
  }

  // step moves the focus from message to message.
  function step(by) {
    const links = [...body.querySelectorAll('a')];
    const at = links.indexOf(document.activeElement);
    links[Math.min(Math.max(at + by, 0), links.length - 1)]?.focus();
  }

  // poll asks for what is new until the person leaves.
  function poll() {
    const timer = setInterval(async () => {
      if (!live || document.hidden || chosen.to) return;
      try {
        await refresh();
      } catch (error) {
        if (!signal.aborted) status.textContent = error.message;
      }
    }, every);
    signal.addEventListener('abort', () => clearInterval(timer));
  }

  async function refresh() {
    const newest = [...rows.values()].reduce((latest, { message }) => Math.max(latest, new Date(message.received)), 0);
    const from = newest ? new Date(newest - lookBack).toISOString() : chosen.from;
    const page = await api.get('/messages', { ...chosen, from: from > chosen.from ? from : chosen.from }, signal);
    for (const message of page.messages.toReversed()) {
      const shown = rows.get(message.id);
      if (!shown) {
        body.prepend(rowOf(message));
      } else if (JSON.stringify(shown.message) !== JSON.stringify(message)) {
        update(shown, message);
      }
    }
    settle();
  }

  function update(shown, message) {
    shown.message = message;
    const focused = shown.row.contains(document.activeElement);
    fill(shown.row, cells(message));
    if (focused) shown.row.querySelector('a').focus();
  }
}

// form has the filters. What is chosen goes into the address, so that a list can be kept
// and sent to somebody.
function form(session, chosen) {
  const states = ['accepted', 'ingested', 'staged', 'error', 'missing'];
  const field = (name, label, control) => h('label', {}, h('span', {}, label), control);
  const select = (name, all, options) => h('select', { name },
    h('option', { value: '' }, all), options.map((option) => h('option', { value: option, selected: option === chosen[name] }, option)));
  const input = (name, properties) => h('input', { name, value: chosen[name], autocomplete: 'off', spellcheck: 'false', ...properties });
  const time = (name) => input(name, { type: 'datetime-local', value: chosen[name] && localTime(chosen[name]) });
  const element = h('form', { class: 'filters', role: 'search', 'aria-label': 'Filter messages', onsubmit: submit, onchange: submit },
    session.sees.length > 1 && field('owner', 'Sender', select('owner', 'all', session.sees)),
    field('state', 'State', select('state', 'all', states)),
    field('type', 'Type', input('type', { placeholder: 'ADT^A01', size: '9' })),
    field('connector', 'Made by', input('connector', { placeholder: 'staging-er7', size: '11' })),
    field('from', 'From', time('from')),
    field('to', 'Before', time('to')),
    h('button', { type: 'submit' }, 'Filter'),
    Object.values(chosen).some(Boolean) && h('a', { href: link(['messages']) }, 'Clear'));
  return element;

  function submit(event) {
    event.preventDefault();
    const next = Object.fromEntries(filters.map((name) => {
      const value = element.elements[name]?.value.trim() ?? '';
      return [name, value && (name === 'from' || name === 'to') ? new Date(value).toISOString() : value];
    }));
    location.hash = link(['messages'], next);
  }
}

// localTime writes a time as a field of the type datetime-local wants it.
function localTime(time) {
  return `${day(time)}T${clock(time)}`;
}

function cells(message) {
  const { id, owner, received, type, protocol, format, state, reason, connectors } = message;
  return [
    h('td', { class: 'time', title: received }, h('span', { class: 'day' }, day(received) + ' '), clock(received)),
    h('td', {}, type || `${protocol}/${format}`),
    h('td', {}, h('span', { class: `state ${state}` }, state), reason && h('span', { class: 'reason' }, reason)),
    h('td', { class: 'owner' }, owner),
    h('td', { class: 'id' }, h('a', { href: link(['messages', id]), 'aria-label': `${type || protocol} of ${moment(received)}, ${state}, ${id}` }, id)),
    h('td', { class: 'connectors' }, (connectors ?? []).join(', ')),
  ];
}
