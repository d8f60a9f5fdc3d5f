// Tabs, as the WAI-ARIA Authoring Practices have them: the arrows lead from one to the
// next.

import { h, fill } from './dom.js';

// tabs makes a row of tabs and the panel below them. choices are { name, label, show },
// and show returns what is in the panel. opened is told the name of the tab that is
// opened. It returns { element, open }.
export function tabs(choices, opened) {
  const panel = h('div', { role: 'tabpanel', id: 'panel', tabindex: '-1' });
  const buttons = choices.map(({ name, label }) => h('button', {
    role: 'tab', id: 'tab-' + name, 'aria-controls': 'panel', 'aria-selected': 'false', tabindex: '-1', onclick: () => open(name),
  }, label));
  const row = h('div', { role: 'tablist', 'aria-label': 'Parts of the message', onkeydown: (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const at = buttons.indexOf(event.target);
    const to = (at + by + buttons.length) % buttons.length;
    event.preventDefault();
    open(choices[to].name);
    buttons[to].focus();
  } }, buttons);

  async function open(name) {
    const at = Math.max(0, choices.findIndex((choice) => choice.name === name));
    buttons.forEach((button, i) => {
      button.setAttribute('aria-selected', String(i === at));
      button.setAttribute('tabindex', i === at ? '0' : '-1');
    });
    panel.setAttribute('aria-labelledby', buttons[at].id);
    opened(choices[at].name);
    fill(panel, await choices[at].show());
  }
  return { element: h('div', { class: 'tabs' }, row, panel), open };
}
