// Events that could not be delivered to a connector, of the institution that the person
// operates for.

import { confirm } from './confirm.js';
import { h, fill } from './dom.js';
import { clock, day } from './format.js';
import { link } from './routes.js';
import { stepper, table } from './table.js';

const columns = [['Since'], ['Event', 'aside'], ['Type'], ['Message'], ['Queue', 'aside'], ['Cause']];

export async function show(place, context) {
  const { api, signal, shell } = context;
  const body = h('tbody');
  const status = h('p', { class: 'status', role: 'status' });
  const all = h('button', { hidden: true, onclick: redrive }, 'Redrive all…');
  fill(place, h('h1', {}, 'Dead letters'), h('div', { class: 'bar' }, all, status), table('Dead letters', columns, body, 'list'));
  const step = stepper(body);
  context.keys('Dead letters', { j: ['Next letter', () => step(1)], k: ['Letter before', () => step(-1)], r: ['Redrive all', () => { if (!all.hidden) redrive(); }] });
  draw(await api.get('/dead-letters', {}, signal));

  function draw({ letters, more }, done = false) {
    fill(body, letters.map((letter) => rowOf(letter, done)));
    all.hidden = done || letters.length === 0;
    status.textContent = letters.length === 0 ? 'There is no dead letter.' : more ? 'There are more than these.' : `${letters.length} in all`;
  }

  async function redrive() {
    if (!await confirm('Redrive all dead letters?', 'Each is given to its connector again. One that fails again comes back here.', 'Redrive')) return;
    all.disabled = true;
    try {
      draw(await api.post('/dead-letters/redrive', {}, signal), true);
      shell.say('The dead letters were redriven.');
    } catch (error) {
      if (!signal.aborted) shell.say(error.message);
    }
    all.disabled = false;
  }
}

// rowOf makes the row of a letter: with its outcome once it was redriven, and the cause of
// its death before.
function rowOf({ queue, root, event, type, since, cause, outcome }, done) {
  return h('tr', {},
    h('td', { class: 'time', title: since }, since && [h('span', { class: 'day' }, day(since) + ' '), clock(since)]),
    h('td', { class: 'aside' }, event),
    h('td', { class: 'type' }, type),
    h('td', { class: 'id' }, h('a', { href: link(['messages', root]) }, root)),
    h('td', { class: 'aside' }, queue),
    h('td', {}, done ? h('strong', {}, outcome) : cause));
}
