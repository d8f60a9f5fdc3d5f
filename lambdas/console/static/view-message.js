// One message: what became of it, what it says, and what can be done about it.

import { h, fill } from './dom.js';
import { count, several, size } from './format.js';
import { timeline } from './message-history.js';
import { operations } from './message-operate.js';
import { Raw, describe, faultText } from './message-raw.js';
import { tree } from './message-tree.js';
import { link } from './routes.js';
import { tabs } from './tabs.js';

// How often a message that is under way is asked for again, and how many times after
// something was done about it that may change nothing.
const every = 1500;
const tries = 20;

// A place this far in a message is shown on a page of its own.
const far = 400;

export async function show(place, context) {
  const { api, route, session, signal, shell, kept } = context;
  const id = route.path[1];
  const path = '/messages/' + encodeURIComponent(id);
  shell.title('Message ' + id);
  const head = h('div', { class: 'head' });
  const steps = h('section', { class: 'steps', 'aria-label': 'History' });
  const content = h('section', { class: 'content', 'aria-label': 'Content' });

  let history = await api.get(path, {}, signal);
  kept.message = id;
  fill(place, head, h('div', { class: 'columns' }, content, steps));
  draw();
  if (!history.ended) follow(Infinity);
  context.keys('Message', { u: ['Back to the list', () => { location.hash = kept.list ?? link(['messages']); }] });
  if (!session.reads.includes(history.owner)) {
    fill(content, h('p', { class: 'empty' }, `You operate for ${history.owner}: you see what became of its messages, and not what they say.`));
  } else if (history.history.length > 0) {
    await say();
  }

  function draw() {
    const { type, protocol = '', format = '', status, owner } = history;
    fill(head,
      h('h1', {}, type === 'unknown' ? 'Message of unknown type' : type || `${protocol}/${format}`, ' ', h('span', { class: `state ${status}` }, status)),
      h('p', { class: 'facts' }, h('code', { class: 'id' }, history.id), h('span', {}, owner)));
    const open = steps.querySelector('details')?.open ?? !matchMedia('(max-width: 720px)').matches;
    fill(steps, h('details', { open },
      h('summary', {}, h('h2', {}, 'What became of it')),
      timeline(history, (segment, at) => link(['messages', id, 'raw'], { segment: String(segment), path: at })),
      operations(history, context, () => follow(tries))));
  }

  // follow asks at most so many times, until the message has come to its end and something
  // has become of it, which may change how its content is read.
  function follow(times) {
    const before = JSON.stringify(history);
    const timer = setInterval(async () => {
      if (document.hidden) return;
      try {
        history = await api.get(path, {}, signal);
      } catch (error) {
        clearInterval(timer);
        if (!signal.aborted) shell.say(error.message);
        return;
      }
      const changed = JSON.stringify(history) !== before;
      times--;
      if (changed) draw();
      if (history.ended && changed || times <= 0) {
        clearInterval(timer);
        if (changed && session.reads.includes(history.owner)) say();
      }
    }, every);
    signal.addEventListener('abort', () => clearInterval(timer));
  }

  // say shows the content.
  async function say() {
    if (history.protocol !== 'hl7v2' || history.format !== 'er7') {
      fill(content, h('p', { class: 'empty' }, 'This is not ER7, and is not shown here. Get it on the command line, with lake get --sent.'));
      return;
    }
    const wanted = Number(route.query.get('segment') ?? -1);
    let view;
    try {
      view = await api.get(path + '/view', { from: wanted >= far ? wanted : '' }, signal);
      if (view.fault?.line >= (view.next ?? Infinity)) view = await api.get(path + '/view', { from: view.fault.line }, signal);
    } catch (error) {
      if (!signal.aborted) shell.fail(content, error, say);
      return;
    }
    const whole = (segment, at, form = '') => api.text(path + '/value', { segment, path: at, form }, signal);
    const text = (part) => async () => {
      try {
        return h('pre', { class: 'document', tabindex: '0' }, await part());
      } catch (error) {
        return h('p', { class: 'empty' }, error.message);
      }
    };
    const json = async () => JSON.stringify(JSON.parse(await api.text(path + '/json', {}, signal)), null, 2);
    const findings = view.findings_total > 0 ? `Findings ${count(view.findings_total)}` : 'Findings';
    const parts = tabs([
      { name: 'raw', label: 'Raw', show: () => rawPanel(view, whole) },
      !view.fault && { name: 'tree', label: 'Tree', show: () => tree(view, whole) },
      !view.fault && { name: 'json', label: 'JSON', show: text(json) },
      { name: 'findings', label: findings, show: () => findingsPanel(view) },
      { name: 'ack', label: 'ACK', show: text(async () => view.ack ?? 'No acknowledgment can be made of it.') },
    ].filter(Boolean), (name) => remember(name));
    fill(content, facts(view), parts.element);
    await parts.open(route.path[2] ?? 'raw');
  }

  // remember notes the open tab in the address, without showing the view anew.
  function remember(name) {
    globalThis.history.replaceState(null, '', link(['messages', id, name], { segment: route.query.get('segment'), path: route.query.get('path') }));
  }

  function rawPanel(view, whole) {
    const raw = new Raw(view, whole);
    let next = view.next;
    const more = h('button', { onclick: async () => {
      more.disabled = true;
      try {
        const page = await api.get(path + '/view', { from: next }, signal);
        raw.add(page);
        next = page.next;
      } catch (error) {
        if (!signal.aborted) shell.say(error.message);
      }
      more.disabled = false;
      more.hidden = !next;
    } }, 'More segments');
    more.hidden = !next;
    const segment = view.fault?.line ?? route.query.get('segment');
    if (segment !== null || route.query.has('path')) {
      setTimeout(() => raw.find(segment, route.query.get('path') ?? ''));
    }
    return [
      view.from > 0 && h('p', {}, `From segment ${count(view.from + 1)}. `, h('a', { href: link(['messages', id, 'raw']) }, 'From the start')),
      raw.element, more,
    ];
  }

  function findingsPanel(view) {
    const at = (finding) => finding.segment === undefined ? null
      : h('a', { href: link(['messages', id, 'raw'], { segment: String(finding.segment), path: finding.path }) }, `segment ${finding.segment + 1}`);
    if (view.fault) return h('p', { class: 'bad' }, faultText(view.fault));
    if (view.unchecked) return h('p', { class: 'empty' }, 'The message has too many segments to be checked.');
    if (view.findings_total === 0) return h('p', { class: 'empty' }, 'The message keeps the rules of its version.');
    return [
      h('ul', { class: 'findings' }, view.findings.map((finding) => h('li', { class: finding.level }, describe(finding), ' ', at(finding)))),
      view.findings.length < view.findings_total && h('p', { class: 'faint' }, `These are of the segments that are shown first; there are ${count(view.findings_total)} in all.`),
    ];
  }
}

// facts says what kind of message it is.
function facts(view) {
  return h('p', { class: 'facts' },
    view.event && h('span', {}, view.event),
    view.structure && h('span', {}, view.structure),
    view.version && h('span', {}, `HL7 ${view.version}`, !view.version_known && ', which is not known here'),
    view.charset && h('span', {}, view.charset),
    h('span', {}, size(view.bytes)),
    h('span', {}, several(view.segments_total, view.fault ? 'line' : 'segment')));
}
