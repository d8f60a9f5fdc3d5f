// The senders: when each sent last, how much in the last day, and whether it is silent
// against its habit.

import { h, fill } from './dom.js';
import { ago, count, duration, moment } from './format.js';
import { link } from './routes.js';
import { sparkline } from './sparkline.js';
import { stepper, table } from './table.js';

// How often the senders are counted anew: counting costs requests.
const every = 300_000;

const columns = [['Sender'], ['Last message'], ['Last 24 hours'], ['This hour', 'aside'], ['Usual in an hour', 'aside'], ['State']];

export async function show(place, context) {
  const { api, signal } = context;
  const body = h('tbody');
  const status = h('p', { class: 'status' });
  fill(place, h('h1', {}, 'Feeds'), table('Senders', columns, body), status);
  const step = stepper(body);
  context.keys('Feeds', { j: ['Next sender', () => step(1)], k: ['Sender before', () => step(-1)] });
  await refresh();
  const timer = setInterval(() => {
    if (!document.hidden) refresh().catch((error) => { if (!signal.aborted) status.textContent = error.message; });
  }, every);
  signal.addEventListener('abort', () => clearInterval(timer));

  async function refresh() {
    const { feeds, now } = await api.get('/feeds', {}, signal);
    const at = new Date(now);
    fill(body, feeds.map((feed) => rowOf(feed, at)));
    status.textContent = feeds.length === 0 ? 'There is no sender whose messages you may see.' : `As of ${moment(now)}`;
  }
}

function rowOf({ owner, last, hours, usual, silent, silent_minutes: minutes }, now) {
  const current = hours.at(-1);
  return h('tr', {},
    h('th', { scope: 'row' }, h('a', { href: link(['messages'], { owner }) }, owner)),
    h('td', { class: 'time', title: last }, last ? `${ago(last, now)} ago` : 'none'),
    h('td', {}, sparkline(hours)),
    h('td', { class: 'aside' }, current ? about(current.count, current.about) : ''),
    h('td', { class: 'aside' }, usual ? about(Math.round(usual.per_hour), usual.about) : 'not known yet'),
    h('td', {}, last && stateOf(silent, minutes, usual)));
}

function stateOf(silent, minutes, usual) {
  if (silent) return h('span', { class: 'state error' }, `silent for ${duration(minutes * 60_000)}`);
  return h('span', { class: usual ? 'state staged' : 'state' }, usual ? 'as usual' : 'no habit yet');
}

function about(n, estimated) {
  return (estimated ? 'about ' : '') + count(n);
}
