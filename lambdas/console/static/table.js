// Tables, and moving through them by keys.

import { h } from './dom.js';

// table makes a table around its body. columns are [name, class]; a narrow screen leaves
// out those of the class "aside". The caption is for those who do not see the table.
export function table(caption, columns, body, name = '') {
  return h('table', { class: name },
    h('caption', { class: 'hidden' }, caption),
    h('thead', {}, h('tr', {}, columns.map(([label, kind]) => h('th', { scope: 'col', class: kind }, label)))),
    body);
}

// stepper returns what moves the focus between the links in a place: by 1 to the next, by
// -1 to the one before.
export function stepper(place) {
  return (by) => {
    const links = [...place.querySelectorAll('a')].filter((a) => a.checkVisibility());
    const at = links.indexOf(document.activeElement);
    links[Math.min(Math.max(at + by, 0), links.length - 1)]?.focus();
  };
}
