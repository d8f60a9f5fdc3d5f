// The table of messages, which the list and the search have.

import { h } from './dom.js';
import { clock, day, moment } from './format.js';
import { link } from './routes.js';
import { table } from './table.js';

const columns = [['Received'], ['Type'], ['State'], ['Sender', 'aside'], ['Message'], ['Made by', 'aside']];

// messageTable makes the table around its body.
export function messageTable(caption, body) {
  return table(caption, columns, body, 'list');
}

// cells makes what a row says of a message.
export function cells({ id, owner, received, type, protocol, format, state, reason, connectors }) {
  return [
    h('td', { class: 'time', title: received }, h('span', { class: 'day' }, day(received) + ' '), clock(received)),
    h('td', { class: 'type' }, type || `${protocol}/${format}`),
    h('td', {}, h('span', { class: `state ${state}` }, state), reason && [' ', h('span', { class: 'reason' }, reason)]),
    h('td', { class: 'aside' }, owner),
    h('td', { class: 'id' }, h('a', {
      href: link(['messages', id]), 'aria-label': `${type || protocol} of ${moment(received)}, ${state}, ${id}`,
    }, id)),
    h('td', { class: 'aside' }, (connectors ?? []).join(', ')),
  ];
}
