// The table of messages, which the list and the search have.

import { h } from './dom.js';
import { clock, day, moment } from './format.js';
import { link } from './routes.js';

const columns = ['Received', 'Type', 'State', 'Sender', 'Message', 'Made by'];

// messageTable makes the table around its body.
export function messageTable(caption, body) {
  return h('table', { class: 'list' },
    h('caption', { class: 'hidden' }, caption),
    h('thead', {}, h('tr', {}, columns.map((name) => h('th', { scope: 'col' }, name)))),
    body);
}

// cells makes what a row says of a message.
export function cells({ id, owner, received, type, protocol, format, state, reason, connectors }) {
  return [
    h('td', { class: 'time', title: received }, h('span', { class: 'day' }, day(received) + ' '), clock(received)),
    h('td', { class: 'type' }, type || `${protocol}/${format}`),
    h('td', {}, h('span', { class: `state ${state}` }, state), reason && [' ', h('span', { class: 'reason' }, reason)]),
    h('td', { class: 'owner' }, owner),
    h('td', { class: 'id' }, h('a', {
      href: link(['messages', id]), 'aria-label': `${type || protocol} of ${moment(received)}, ${state}, ${id}`,
    }, id)),
    h('td', { class: 'connectors' }, (connectors ?? []).join(', ')),
  ];
}

// stepper returns what moves the focus between the links in a place: by 1 to the next, by
// -1 to the one before.
export function stepper(place) {
  return (by) => {
    const links = [...place.querySelectorAll('a')];
    const at = links.indexOf(document.activeElement);
    links[Math.min(Math.max(at + by, 0), links.length - 1)]?.focus();
  };
}
