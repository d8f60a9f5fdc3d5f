// Addresses within the console, behind the #. They hold ids, institutions' names, types,
// states, times and places in a message, and never a message's content.

// parse reads an address: /messages/ID/raw?at=PID-3 has the path ['messages', ID, 'raw'].
export function parse(hash) {
  const [path, query = ''] = hash.replace(/^#/, '').split('?');
  return {
    path: path.split('/').filter((part) => part !== '').map(decoded),
    query: new URLSearchParams(query),
  };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray percent sign
  }
}

// link writes an address. Parameters without a value are left out.
export function link(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value) query.set(name, value);
  }
  const text = query.toString();
  return '#/' + path.map(encodeURIComponent).join('/') + (text && '?' + text);
}
