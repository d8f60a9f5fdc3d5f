// Sends each file over MLLP with simple-hl7, one after the other, and writes MSA-1 and MSA-2 of each answer: PORT FILE…
import { readFileSync } from "node:fs";
import hl7 from "simple-hl7";

const [port, ...files] = process.argv.slice(2);
const client = hl7.Server.createTcpClient({ host: "127.0.0.1", port: Number(port), keepalive: true });
for (const file of files) {
  const message = new hl7.Parser().parse(readFileSync(file, "utf8"));
  const answer = await new Promise((resolve, reject) => client.send(message, (error, ack) => (error ? reject(error) : resolve(ack))));
  const msa = answer.getSegment("MSA");
  console.log(String(msa.getField(1)), String(msa.getField(2)));
}
client.close();
process.exit(0);
