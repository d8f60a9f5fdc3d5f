// One message: what became of it, and what it says.

import { h, fill } from './dom.js';
import { timeline } from './message-history.js';
import { link } from './routes.js';

// How often a message that is under way is asked for again.
const every = 1500;

export async function show(place, context) {
  const { api, route, signal, shell } = context;
  const id = route.path[1];
  shell.title('Message ' + id);
  const head = h('div', { class: 'head' });
  const steps = h('section', { class: 'steps', 'aria-label': 'History' });

  const history = await api.get('/messages/' + encodeURIComponent(id), {}, signal);
  fill(place, head, steps);
  draw(history);
  if (!history.ended) follow();

  function draw(history) {
    fill(head,
      h('h1', {}, history.type || `${history.protocol ?? ''}/${history.format ?? ''}`, ' ', h('span', { class: `state ${history.status}` }, history.status)),
      h('code', { class: 'id' }, history.id));
    fill(steps, timeline(history, (segment, path) => link(['messages', id, 'raw'], { segment: String(segment), path })));
  }

  // follow asks until the message has come to its end.
  function follow() {
    const timer = setInterval(async () => {
      if (document.hidden) return;
      try {
        const newest = await api.get('/messages/' + encodeURIComponent(id), {}, signal);
        draw(newest);
        if (newest.ended) clearInterval(timer);
      } catch (error) {
        clearInterval(timer);
        if (!signal.aborted) shell.say(error.message);
      }
    }, every);
    signal.addEventListener('abort', () => clearInterval(timer));
  }
}
