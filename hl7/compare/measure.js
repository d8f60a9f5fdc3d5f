// Measures npm's parsers on the samples of a folder: node measure.js FOLDER SECONDS.
// Prints a JSON object a line; a parser that fails on a sample has no line for it.
const fs = require('fs');
const path = require('path');

const [folder, seconds] = [process.argv[2], Number(process.argv[3])];
const load = (name) => require(path.join(folder, 'node_modules', name));
const version = (name) => JSON.parse(fs.readFileSync(path.join(folder, 'node_modules', name, 'package.json'))).version;

const simple = new (load('simple-hl7').Parser)();
const { Hl7Message } = load('@medplum/core');
const { HL7Message } = load('hl7v2');
const hl7 = load('hl7');

const parsers = {
  'simple-hl7': (text) => simple.parse(text),
  hl7: (text) => hl7.parseString(text),
  hl7v2: (text) => HL7Message.parse(text),
  '@medplum/core': (text) => Hl7Message.parse(text),
};

function processorSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function speed(text, task) {
  task(text); // warm
  const begin = processorSeconds();
  for (let rounds = 1; ; rounds++) {
    task(text);
    const spent = processorSeconds() - begin;
    if (spent > seconds) return (rounds * text.length) / spent / 1e6;
  }
}

for (const [name, parse] of Object.entries(parsers)) {
  const tasks = { parse, json: (text) => JSON.stringify(parse(text)) };
  for (const [task, run] of Object.entries(tasks)) {
    for (const file of fs.readdirSync(folder).filter((f) => f.endsWith('.hl7'))) {
      const text = fs.readFileSync(path.join(folder, file), 'utf8');
      try {
        const MBps = speed(text, run);
        console.log(JSON.stringify({ parser: `${name} ${version(name)} (npm)`, task, sample: path.basename(file, '.hl7'), MBps }));
      } catch (e) {
        console.error(`${name} ${task} ${file}: ${e}`);
      }
    }
  }
}
