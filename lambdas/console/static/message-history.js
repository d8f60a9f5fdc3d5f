// What became of a message, step by step.

import { h } from './dom.js';
import { count, duration, moment, size } from './format.js';

const words = {
  accepted: 'Accepted from the sender',
  ingestion: 'Kept as it was sent',
  staging: 'Turned into a result',
  error: 'Could not be read',
};

// timeline shows a message's history, oldest first. jump makes the link to a place in the
// message: it is given the number of the segment, from 0, and the path.
export function timeline(history, jump) {
  const accepted = new Date(history.received);
  return h('ol', { class: 'timeline', 'aria-label': 'What became of it' },
    entry('accepted', history.received, [h('span', { class: 'owner' }, 'by ', history.owner)]),
    history.history.map((step) => entry(step.zone, step.written, [
      h('span', { class: 'faint' }, `after ${duration(Math.max(0, new Date(step.written) - accepted))}`),
      step.connector && h('span', {}, `by ${step.connector}, version ${step.version}`),
      h('span', {}, `${step.protocol}/${step.format}, ${size(step.size)}`),
      step.attempts > 1 && h('span', { class: 'warn' }, `written at attempt ${count(step.attempts)}`),
      step.read_in && h('span', { class: 'warn' }, `read in ${step.read_in}, as an operator chose`),
      h('code', { class: 'id', title: 'Event id' }, step.id),
      step.reason && reasonOf(step.reason, jump),
      step.forgotten && h('span', { class: 'warn' }, `content deleted on ${moment(step.forgotten)}: ${step.forgotten_reason}`),
    ])),
    !history.ended && h('li', { class: 'under-way' }, h('strong', {}, 'Under way')));
}

function entry(kind, time, details) {
  return h('li', { class: kind },
    h('strong', {}, words[kind] ?? kind),
    h('time', { datetime: time, title: time }, moment(time)),
    h('div', { class: 'details' }, details));
}

function reasonOf(reason, jump) {
  const place = [reason.path, reason.segment && `segment ${reason.segment}`, `byte ${reason.offset}`].filter(Boolean).join(', ');
  return h('span', { class: 'bad' }, h('strong', {}, reason.code), ' at ',
    h('a', { href: jump(Math.max(0, (reason.segment ?? 1) - 1), reason.path ?? '') }, place));
}
