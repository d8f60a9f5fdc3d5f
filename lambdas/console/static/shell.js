// What is around each view: navigation, who is signed in, the title, and notices.

import { h, fill } from './dom.js';
import { link } from './routes.js';

const sections = [
  { name: 'messages', label: 'Messages', key: 'l' },
  { name: 'errors', label: 'Errors', key: 'e' },
  { name: 'feeds', label: 'Feeds', key: 'f' },
  { name: 'dead-letters', label: 'Dead letters', key: 'd', operator: true },
  { name: 'search', label: 'Search', key: 's', reader: true },
];

// welcome shows the page of somebody who is not signed in.
export function welcome(problem, signIn) {
  document.title = 'Sign in · hl7lake';
  fill(document.body, h('main', { class: 'welcome' },
    h('h1', {}, 'hl7lake'),
    h('p', {}, 'Find a message, see what became of it, set it right.'),
    problem && h('p', { role: 'alert', class: 'notice' }, problem),
    h('button', { class: 'primary', onclick: signIn }, 'Sign in')));
  document.querySelector('button').focus();
}

export class Shell {
  #place = h('main', { id: 'view', tabindex: '-1' });
  #notices = h('div', { class: 'notices', role: 'status' });
  #links;
  #label = ''; // of the view that is shown

  constructor(session, keys) {
    const shown = sections.filter((s) => (!s.operator || session.operates) && (!s.reader || session.reads.length > 0));
    this.#links = shown.map(({ name, label }) => h('a', { href: link([name]), 'data-name': name }, label));
    keys.bind('Everywhere', {
      ...Object.fromEntries(shown.map(({ name, label, key }) => [`g ${key}`, [label, () => { location.hash = link([name]); }]])),
      '?': ['These keys', () => keys.help()],
    });
    fill(document.body,
      h('a', { class: 'skip', href: '#view', onclick: (event) => { event.preventDefault(); this.#place.focus(); } }, 'Skip to the content'),
      h('header', {},
        h('span', { class: 'brand' }, 'hl7lake'),
        h('nav', { 'aria-label': 'Views' }, this.#links),
        h('span', { class: 'who' }, session.name),
        h('button', { class: 'quiet', onclick: () => keys.help(), 'aria-label': 'Keys' }, '?'),
        h('button', { class: 'quiet', onclick: () => session.end() }, 'Sign out')),
      this.#place, h('footer', {}, `Times: ${zone()}`), this.#notices);
  }

  // open empties the place of the views for the view of that name, and returns it.
  open(name) {
    const section = name === 'message' ? 'messages' : name;
    for (const a of this.#links) {
      if (a.dataset.name === section) a.setAttribute('aria-current', 'page');
      else a.removeAttribute('aria-current');
    }
    const entered = this.#place.hasChildNodes(); // from another view
    fill(this.#place);
    this.#place.className = name;
    this.#label = sections.find((s) => s.name === section)?.label ?? '';
    this.title(this.#label);
    scrollTo(0, 0);
    if (entered) this.#place.focus();
    return this.#place;
  }

  // title names the page, by ids and names of views only.
  title(text) {
    document.title = text + ' · hl7lake';
  }

  // say shows a notice for some seconds.
  say(text) {
    const notice = h('p', { class: 'notice' }, text);
    this.#notices.append(notice);
    setTimeout(() => notice.remove(), 6000);
  }

  // fail shows in a place why there is nothing else, and offers to try again. The place of
  // a whole view gets its heading, too.
  fail(place, error, again) {
    fill(place, place === this.#place && h('h1', {}, this.#label), h('div', { class: 'empty', role: 'alert' },
      h('p', {}, error.message),
      again && error.status !== 404 && h('button', { onclick: again }, 'Try again')));
  }
}

// zone names the browser's time zone, and its distance from UTC now.
function zone() {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  const minutes = -new Date().getTimezoneOffset();
  const distance = minutes === 0 ? '' : `${minutes < 0 ? '−' : '+'}${Math.abs(minutes) / 60}`;
  return timeZone === 'UTC' ? 'UTC' : `${timeZone}, UTC${distance}`;
}
