// What a person who operates for an institution can do about one of its messages.

import { confirm, confirmLoss } from './confirm.js';
import { h } from './dom.js';

// The names of character sets that senders most often meant when they declared another.
const charsets = ['UTF-8', 'ISO-8859-1', 'ISO-8859-15', 'windows-1252', 'ISO-8859-2', 'windows-1250', 'ISO-8859-5', 'ISO-8859-9', 'GB18030', 'EUC-KR', 'Shift_JIS'];

// The reasons for which content is deleted, as lake forget has them.
const reasons = {
  'wrong-patient': 'It is about another patient',
  mistake: 'It was sent by mistake',
  'test-data': 'It is test data',
  'patient-request': 'The patient asks for it',
  'court-order': 'A court orders it',
  'retention-over': 'It need not be kept any longer',
};

// operations returns the buttons, or nothing if the person does not operate for the
// message's institution. done is called when something was begun that changes what became
// of the message.
export function operations(history, { api, session, shell, signal }, done) {
  if (session.operates !== history.owner) return null;
  const path = '/messages/' + encodeURIComponent(history.id);
  const ask = async (what, body, told) => {
    try {
      await api.post(`${path}/${what}`, body, signal);
      shell.say(told);
      done();
    } catch (error) {
      if (!signal.aborted) shell.say(error.message);
    }
  };
  const replay = async () => {
    if (await confirm('Replay the message?', 'It is published again, and what is made of it is made anew. Nothing is lost.', 'Replay')) {
      ask('replay', {}, 'It is being replayed.');
    }
  };
  const stage = async () => {
    const choice = h('select', { name: 'charset' }, charsets.map((name) => h('option', {}, name)));
    if (await confirm('Stage it in another character set?', 'It is read in this character set, whatever it declares, and its JSON is made anew.', 'Stage again',
      h('label', {}, 'Character set ', choice))) {
      ask('replay', { charset: choice.value }, `It is being staged in ${choice.value}.`);
    }
  };
  const forget = async () => {
    const choice = h('select', { name: 'reason', required: true }, h('option', { value: '' }, 'Choose a reason'),
      Object.entries(reasons).map(([code, text]) => h('option', { value: code }, text)));
    if (await confirmLoss('Delete its content for good?', 'The message and all that was made of it are deleted. This cannot be taken back. The record that it was here stays.', 'Delete',
      h('label', {}, 'Reason ', choice))) {
      ask('forget', { reason: choice.value }, 'Its content is deleted.');
    }
  };
  return h('div', { class: 'operations', role: 'group', 'aria-label': 'Operate' },
    h('button', { onclick: replay }, 'Replay…'),
    h('button', { onclick: stage }, 'Stage in another charset…'),
    h('button', { onclick: forget, class: 'danger' }, 'Forget…'));
}
