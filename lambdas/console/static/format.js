// Writes times and numbers for people, in the browser's own time zone.

const two = (n) => String(n).padStart(2, '0');

// clock writes the time of day, to the second.
export function clock(time) {
  const t = new Date(time);
  return `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
}

// day writes the date, as ISO 8601 does.
export function day(time) {
  const t = new Date(time);
  return `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`;
}

// moment writes date and time.
export function moment(time) {
  return `${day(time)} ${clock(time)}`;
}

// ago writes how long ago a time was: 12 s, 5 min, 3 h, 2 d.
export function ago(time, now = Date.now()) {
  return duration(Math.max(0, now - new Date(time)));
}

// duration writes milliseconds as the largest unit of which there are at least two.
export function duration(ms) {
  if (ms < 2000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 120 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

// count writes a whole number with its thousands apart.
export function count(n) {
  return n.toLocaleString('en');
}

// several writes a number of things, of which one has no s.
export function several(n, thing) {
  return `${count(n)} ${thing}${n === 1 ? '' : 's'}`;
}

// size writes a number of bytes.
export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
