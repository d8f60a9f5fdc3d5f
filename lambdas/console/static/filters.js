// Forms that choose what a view shows. What is chosen goes into the address, so that a
// view can be kept, and sent to somebody.

import { h } from './dom.js';
import { clock, day } from './format.js';
import { link } from './routes.js';

const states = ['accepted', 'ingested', 'staged', 'error', 'missing'];

// filters makes the form of a view: for the fields of these names, with what is chosen.
// choose is called with what is chosen instead, when the address has it.
export function filters(session, view, names, chosen, choose) {
  const input = (name, properties) => h('input', { name, value: chosen[name], autocomplete: 'off', spellcheck: 'false', ...properties });
  const select = (name, options) => h('select', { name },
    h('option', { value: '' }, 'all'), options.map((option) => h('option', { value: option, selected: option === chosen[name] }, option)));
  const time = (name) => input(name, { type: 'datetime-local', value: chosen[name] && `${day(chosen[name])}T${clock(chosen[name])}` });
  const controls = {
    owner: () => ['Sender', select('owner', session.sees)],
    state: () => ['State', select('state', states)],
    type: () => ['Type', input('type', { placeholder: 'ADT^A01', size: '9' })],
    connector: () => ['Made by', input('connector', { placeholder: 'staging-er7', size: '11' })],
    from: () => ['From', time('from')],
    to: () => ['Before', time('to')],
  };
  const shown = names.filter((name) => name !== 'owner' || session.sees.length > 1);
  const clear = h('a', { href: link([view]), hidden: !Object.values(chosen).some(Boolean) }, 'Clear');
  const form = h('form', { class: 'filters', role: 'search', 'aria-label': 'Filter', onsubmit: submit, onchange: submit },
    shown.map((name) => {
      const [label, control] = controls[name]();
      return h('label', {}, h('span', {}, label), control);
    }),
    h('button', { type: 'submit' }, 'Filter'),
    clear);
  return form;

  function submit(event) {
    event.preventDefault();
    const next = Object.fromEntries(names.map((name) => {
      const value = form.elements[name]?.value.trim() ?? chosen[name];
      return [name, value && (name === 'from' || name === 'to') ? new Date(value).toISOString() : value];
    }));
    const address = link([view], next);
    if (address === location.hash) return;
    history.pushState(null, '', address);
    clear.hidden = !Object.values(next).some(Boolean);
    choose(next);
  }
}

// chosenIn reads what an address chooses.
export function chosenIn(route, names) {
  return Object.fromEntries(names.map((name) => [name, route.query.get(name) ?? '']));
}
