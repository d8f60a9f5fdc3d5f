// Starts the console: signs in, then shows the view that the address names.

import { API } from './api.js';
import { Session } from './auth.js';
import { h, fill } from './dom.js';
import { Keys } from './keys.js';
import { link, parse } from './routes.js';
import { Shell, welcome } from './shell.js';

// Views are loaded when they are first shown.
const views = {
  messages: () => import('./view-list.js'),
  message: () => import('./view-message.js'),
  errors: () => import('./view-errors.js'),
  feeds: () => import('./view-feeds.js'),
  'dead-letters': () => import('./view-dead-letters.js'),
  search: () => import('./view-search.js'),
};

async function start() {
  const config = await (await fetch('/console/config.json')).json();
  const session = new Session(config, () => fill(document.body));
  // A page that the browser keeps for its back button is empty, too.
  addEventListener('pagehide', () => { session.forget(); fill(document.body); });
  addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
  let problem = session.farewell();
  let route = null;
  try {
    route = await session.finish();
  } catch (error) {
    problem = error.message;
  }
  if (!session.signedIn) {
    welcome(problem, () => session.begin(location.hash));
    return;
  }
  history.replaceState(null, '', route);
  for (const event of ['keydown', 'pointerdown', 'wheel']) {
    addEventListener(event, () => session.active(), { passive: true });
  }
  run(session);
}

function run(session) {
  const api = new API(session);
  const keys = new Keys(document);
  const shell = new Shell(session, keys);
  const kept = {}; // what a view finds again when the person comes back to it
  let leaving = new AbortController();

  const show = async () => {
    leaving.abort();
    leaving = new AbortController();
    const { signal } = leaving;
    const route = parse(location.hash);
    const name = route.path[0] === 'messages' && route.path.length > 1 ? 'message' : route.path[0] ?? 'messages';
    if (!Object.hasOwn(views, name)) {
      location.replace(link(['messages']));
      return;
    }
    const place = shell.open(name);
    const context = {
      api, session, route, signal, shell, kept,
      keys: (title, bindings) => keys.bind(title, bindings, signal),
    };
    try {
      const view = await views[name]();
      if (!signal.aborted) await view.show(place, context);
    } catch (error) {
      if (!signal.aborted) shell.fail(place, error, show);
    }
  };
  addEventListener('hashchange', show);
  show();
}

start().catch(() => fill(document.body, h('main', { class: 'welcome' },
  h('h1', {}, 'hl7lake'), h('p', { role: 'alert' }, 'The console could not be started. Load the page again.'))));
