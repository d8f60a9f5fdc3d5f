// Keys: single letters, and two in a row such as "g l". They do nothing while somebody
// types into a field, and can be switched off (WCAG 2.2, 2.1.4).

import { h } from './dom.js';

// Within this time, a second key belongs to the first.
const pause = 1200;

export class Keys {
  #groups = []; // [{ title, bindings }], the last one first asked
  #first = '';
  #firstAt = 0;
  #on = true;

  constructor(target) {
    target.addEventListener('keydown', (event) => this.#press(event));
  }

  // bind adds keys until signal aborts. bindings maps keys to [what they do, function].
  bind(title, bindings, signal) {
    const group = { title, bindings };
    this.#groups.push(group);
    signal?.addEventListener('abort', () => { this.#groups = this.#groups.filter((other) => other !== group); });
  }

  // help shows all keys, and the switch that turns them off.
  help() {
    const box = h('input', { type: 'checkbox', checked: this.#on, onchange: () => { this.#on = box.checked; } });
    const dialog = h('dialog', { 'aria-labelledby': 'keys-title', class: 'keys', onclose: () => dialog.remove() },
      h('h2', { id: 'keys-title' }, 'Keys'),
      this.#groups.map(({ title, bindings }) => h('section', {},
        h('h3', {}, title),
        h('dl', {}, Object.entries(bindings).map(([key, [what]]) => h('div', {},
          h('dt', {}, key.split(' ').map((part) => h('kbd', {}, part))), h('dd', {}, what)))))),
      h('label', { class: 'check' }, box, 'Use these keys'),
      h('form', { method: 'dialog' }, h('button', { autofocus: true }, 'Close')));
    document.body.append(dialog);
    dialog.showModal();
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector('dialog[open]')) return;
    const typing = event.target.closest('input, select, textarea');
    if (typing) {
      if (event.key === 'Escape') typing.blur();
      return;
    }
    if (!this.#on && event.key !== '?') return;
    const chord = Date.now() - this.#firstAt < pause ? `${this.#first} ${event.key}` : '';
    const found = this.#find(chord) ?? this.#find(event.key);
    this.#first = found ? '' : event.key;
    this.#firstAt = found ? 0 : Date.now();
    if (found) {
      event.preventDefault();
      found[1]();
    }
  }

  #find(key) {
    return this.#groups.findLast(({ bindings }) => Object.hasOwn(bindings, key))?.bindings[key];
  }
}
