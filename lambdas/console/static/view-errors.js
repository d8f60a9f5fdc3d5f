// Messages that could not be read, in groups of one reason, with a way to the place of
// the fault.

import { confirm } from './confirm.js';
import { h, fill } from './dom.js';
import { chosenIn, filters } from './filters.js';
import { ago, count, moment } from './format.js';
import { link } from './routes.js';
import { stepper, table } from './table.js';

const columns = [['Count'], ['Reason'], ['Place'], ['Sender', 'aside'], ['Made by', 'aside'], ['Newest', 'aside'], ['Messages']];

// So many of a group's messages are shown at once.
const few = 3;

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
    fill(groups, table('Errors by reason', columns, h('tbody', {}, found.groups.map((group) => rowOf(group, context, chosen))), 'list'),
      !found.complete && h('p', { class: 'status' }, `Counted from ${moment(found.from)}. There are more before that: choose a time.`));
  }
}

function rowOf(group, context, chosen) {
  const open = (id) => h('a', { href: link(['messages', id, 'raw'], { path: group.path }) }, id);
  return h('tr', {},
    h('td', { class: 'count' }, count(group.count)),
    h('th', { scope: 'row' }, group.code),
    h('td', {}, h('code', {}, group.path)),
    h('td', { class: 'aside' }, group.owner),
    h('td', { class: 'aside' }, group.connector),
    h('td', { class: 'time aside', title: `${moment(group.oldest)} to ${moment(group.newest)}` }, `${ago(group.newest)} ago`),
    h('td', { class: 'id' }, group.ids.slice(0, few).map(open),
      group.ids.length > few && h('details', {}, h('summary', {}, `${group.ids.length - few} more`), group.ids.slice(few).map(open)),
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
