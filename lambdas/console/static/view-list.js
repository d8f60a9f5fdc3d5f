// The list of messages, newest first. It is live: what comes is put on top, and what
// becomes of the newest is shown, for as long as somebody looks at the page.

import { h, fill } from './dom.js';
import { chosenIn, filters } from './filters.js';
import { ago, clock } from './format.js';
import { cells, messageTable } from './message-table.js';
import { link } from './routes.js';
import { sparkline } from './sparkline.js';
import { stepper } from './table.js';

// How often the list asks for what is new, and how long before the newest message it
// begins: the states of those may have changed, and some come late.
const every = 10_000;
const lookBack = 60_000;

const names = ['owner', 'state', 'type', 'connector', 'from', 'to'];

export async function show(place, context) {
  const { api, session, route, signal, kept } = context;
  let chosen = chosenIn(route, names);
  const rows = new Map(); // by id
  const body = h('tbody');
  const senders = h('ul', { class: 'senders', 'aria-label': 'Senders' });
  const status = h('span', { class: 'status' });
  const more = h('button', { hidden: true, onclick: () => loadMore() }, 'Load more');
  const liveButton = h('button', { class: 'toggle', 'aria-pressed': 'true', onclick: () => pause() }, 'Live');
  let cursor = '';
  let live = true;
  let load = new AbortController(); // of the rows that are shown

  fill(place,
    h('h1', {}, 'Messages'),
    senders,
    filters(session, 'messages', names, chosen, choose),
    h('div', { class: 'bar' }, liveButton, status),
    messageTable('Messages, newest first', body),
    more);
  const step = stepper(body);
  context.keys('List', {
    j: ['Next message', () => step(1)],
    k: ['Message before', () => step(-1)],
    Enter: ['Open the message', () => document.activeElement.click()],
    '/': ['Filter', () => place.querySelector('form select, form input').focus()],
    m: ['Load more', () => { if (!more.hidden) loadMore(); }],
    p: ['Live, or not', () => pause()],
  });

  signal.addEventListener('abort', () => load.abort());
  kept.list = location.hash;
  await loadFirst();
  rows.get(kept.message)?.row.querySelector('a').focus(); // back from this one
  poll();
  showSenders(); // after the list, which it would hold up

  async function loadFirst() {
    load.abort();
    load = new AbortController();
    const mine = load.signal;
    const page = await api.get('/messages', chosen, mine);
    if (mine.aborted) return;
    cursor = page.cursor ?? '';
    rows.clear();
    fill(body, page.messages.map(rowOf));
    settle();
  }

  async function choose(next) {
    chosen = next;
    kept.list = location.hash;
    status.textContent = 'Loading …';
    await attempt(loadFirst);
  }

  // attempt does something, of whose failure only the status tells.
  async function attempt(act) {
    try {
      await act();
    } catch (error) {
      if (error.name !== 'AbortError') status.textContent = error.message;
    }
  }

  function rowOf(message) {
    const row = h('tr', {}, cells(message));
    rows.set(message.id, { message, row });
    return row;
  }

  function settle() {
    more.hidden = cursor === '';
    status.textContent = rows.size === 0 ? 'No message fits.' : `${rows.size} shown · ${clock(Date.now())}`;
  }

  async function showSenders() {
    try {
      const { feeds, now } = await api.get('/feeds', {}, signal);
      fill(senders, feeds.map((feed) => h('li', {},
        h('a', { href: link(['messages'], { owner: feed.owner }) }, feed.owner),
        sparkline(feed.hours),
        h('span', { class: feed.silent ? 'bad' : 'faint' }, feed.last ? `${ago(feed.last, new Date(now))} ago` : 'no message'))));
    } catch {
      senders.hidden = true; // the list does without
    }
  }

  async function loadMore() {
    more.disabled = true;
    await attempt(async () => {
      const page = await api.get('/messages', { ...chosen, cursor }, load.signal);
      cursor = page.cursor ?? '';
      body.append(...page.messages.filter(({ id }) => !rows.has(id)).map(rowOf));
      settle();
    });
    more.disabled = false;
  }

  function pause() {
    live = !live;
    liveButton.setAttribute('aria-pressed', String(live));
  }

  // poll asks for what is new until the person leaves.
  function poll() {
    const timer = setInterval(() => {
      if (live && !document.hidden && !chosen.to) attempt(refresh);
    }, every);
    signal.addEventListener('abort', () => clearInterval(timer));
  }

  async function refresh() {
    const newest = [...rows.values()].reduce((latest, { message }) => Math.max(latest, new Date(message.received)), 0);
    const since = newest ? new Date(newest - lookBack).toISOString() : '';
    const page = await api.get('/messages', { ...chosen, from: since > chosen.from ? since : chosen.from }, load.signal);
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
