// Asks before something is done that cannot be taken back.

import { h } from './dom.js';

// confirm shows a question with fields below it, and returns whether it was confirmed.
export async function confirm(title, text, action, ...fields) {
  return ask(title, text, h('button', { value: 'yes', class: 'primary' }, action), fields);
}

// confirmLoss does the same before something is lost.
export async function confirmLoss(title, text, action, ...fields) {
  return ask(title, text, h('button', { value: 'yes', class: 'primary loss' }, action), fields);
}

function ask(title, text, yes, fields) {
  return new Promise((resolve) => {
    const dialog = h('dialog', { 'aria-labelledby': 'confirm-title', onclose: () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    } },
      h('h2', { id: 'confirm-title' }, title),
      h('form', { method: 'dialog' },
        h('div', { class: 'fields' }, h('p', {}, text), fields),
        h('div', { class: 'choice' },
          h('button', { value: 'no', formnovalidate: true }, 'Cancel'),
          yes)));
    document.body.append(dialog);
    dialog.showModal();
  });
}
