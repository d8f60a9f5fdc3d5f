// Messages that could not be read, in groups of one reason, with a way to the place of
// the fault.

import { confirm } from './confirm.js';
import { h, fill } from './dom.js';
import { chosenIn, filters } from './filters.js';
import { ago, count, moment } from './format.js';
import { stepper } from './message-table.js';
import { link } from './routes.js';

const names = ['owner', 'from', 'to'];

export async function show(place, context) {
  const { api, session, route, signal, shell } = context;
  let chosen = chosenIn(route, names);
  const groups = h('div', { class: 'groups' });
  fill(place, h('h1', {}, 'Errors'), filters(session, 'errors', names, chosen, choose), groups);
  const step = stepper(groups);
  context.keys('Errors', {
    j: ['Next message', () => step(1)],
    k: ['Message before', () => step(-1)],
    Enter: ['Open it at the fault', () => document.activeElement.click()],
  });
  await load();

  async function load() {
    const asked = chosen;
    const found = await api.get('/errors', asked, signal);
    if (asked === chosen) draw(found);
  }

  async function choose(next) {
    chosen = next;
    try {
      await load();
    } catch (error) {
      if (!signal.aborted) shell.fail(groups, error, () => choose(next));
    }
  }

  function draw(found) {
    if (found.groups.length === 0) {
      fill(groups, h('p', { class: 'empty' }, 'There is no error in this time.'));
      return;
    }
    fill(groups, h('table', {},
      h('caption', { class: 'hidden' }, 'Errors by reason'),
      h('thead', {}, h('tr', {}, ['Count', 'Reason', 'Place', 'Sender', 'Made by', 'Newest', 'Messages'].map((name) => h('th', { scope: 'col' }, name)))),
      h('tbody', {}, found.groups.map((group) => rowOf(group, context, chosen)))),
    !found.complete && h('p', { class: 'status' }, 'There are more than were counted: choose a shorter time.'));
  }
}

function rowOf(group, context, chosen) {
  const open = (id) => link(['messages', id, 'raw'], { path: group.path });
  return h('tr', {},
    h('td', { class: 'count' }, count(group.count)),
    h('th', { scope: 'row' }, group.code),
    h('td', {}, h('code', {}, group.path)),
    h('td', { class: 'owner' }, group.owner),
    h('td', { class: 'connectors' }, group.connector),
    h('td', { class: 'time', title: `${moment(group.oldest)} to ${moment(group.newest)}` }, `${ago(group.newest)} ago`),
    h('td', { class: 'ids' }, group.ids.map((id) => h('a', { class: 'id', href: open(id) }, id)),
      context.session.operates === group.owner && h('button', { onclick: () => replay(group, context, chosen) }, 'Replay all…')));
}

// replay publishes all messages of a group again, in as many requests as that takes.
async function replay(group, { api, shell, signal }, chosen) {
  if (!await confirm('Replay all of these?',
    `${count(group.count)} messages with ${group.code} are published again, and what is made of them is made anew.`, 'Replay all')) return;
  let replayed = 0;
  let failed = 0;
  let after;
  try {
    do {
      const answer = await api.post('/messages/replay', { errors: true, code: group.code, from: chosen.from || undefined, to: chosen.to || undefined, after }, signal);
      replayed += answer.replayed;
      failed += answer.failed;
      after = answer.more ? answer.next : undefined;
    } while (after);
    shell.say(`${count(replayed)} replayed${failed ? `, ${count(failed)} failed` : ''}.`);
  } catch (error) {
    if (!signal.aborted) shell.say(`${count(replayed)} replayed, then: ${error.message}`);
  }
}
