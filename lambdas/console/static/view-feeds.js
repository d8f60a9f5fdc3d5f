// The senders: when each sent last, how much in the last day, and whether it is silent
// against its habit.

import { h, fill } from './dom.js';
import { ago, count, duration, moment } from './format.js';
import { link } from './routes.js';
import { stepper } from './message-table.js';
import { sparkline } from './sparkline.js';

const every = 60_000;

export async function show(place, context) {
  const { api, signal } = context;
  const body = h('tbody');
  const status = h('p', { class: 'status' });
  fill(place, h('h1', {}, 'Feeds'), h('table', {},
    h('caption', { class: 'hidden' }, 'Senders'),
    h('thead', {}, h('tr', {}, ['Sender', 'Last message', 'Last 24 hours', 'This hour', 'Usual in an hour', 'State'].map((name) => h('th', { scope: 'col' }, name)))),
    body), status);
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

function rowOf({ owner, last, hours, usual, silent, silent_minutes: after }, now) {
  const current = hours.at(-1);
  return h('tr', {},
    h('th', { scope: 'row' }, h('a', { href: link(['messages'], { owner }) }, owner)),
    h('td', { class: 'time', title: last }, last ? `${ago(last, now)} ago` : 'none'),
    h('td', {}, sparkline(hours)),
    h('td', {}, current ? about(current.count, current.about) : ''),
    h('td', {}, usual ? about(Math.round(usual.per_hour), usual.about) : 'not known yet'),
    h('td', {}, silent ? h('span', { class: 'state error' }, 'silent') : h('span', { class: 'state staged' }, 'as usual'),
      after > 0 && h('span', { class: 'reason' }, ` silent after ${duration(after * 60_000)}`)));
}

function about(n, estimated) {
  return (estimated ? 'about ' : '') + count(n);
}
