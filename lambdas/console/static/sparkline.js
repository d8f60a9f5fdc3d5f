// A small drawing of how many messages came in each hour.

import { svg } from './dom.js';
import { clock, count } from './format.js';

const width = 4;
const height = 20;

// sparkline draws the hours, each { from, count, about }, the oldest first.
export function sparkline(hours) {
  const most = Math.max(1, ...hours.map((hour) => hour.count));
  const total = hours.reduce((sum, hour) => sum + hour.count, 0);
  const about = hours.some((hour) => hour.about) ? 'about ' : '';
  const label = `Last ${hours.length} hours: ${about}${count(total)} messages, at most ${count(most)} in an hour`;
  return svg('svg', {
    class: 'sparkline', role: 'img', 'aria-label': label, width: hours.length * width, height, viewBox: `0 0 ${hours.length * width} ${height}`,
  }, hours.map((hour, i) => {
    const tall = hour.count === 0 ? 1 : Math.max(2, Math.round(hour.count / most * height));
    return svg('rect', { class: hour.count === 0 ? 'none' : '', x: i * width, y: height - tall, width: width - 1, height: tall },
      svg('title', {}, `${clock(hour.from).slice(0, 5)}: ${hour.about ? 'about ' : ''}${count(hour.count)}`));
  }));
}
