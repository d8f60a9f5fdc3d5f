// Receives over MLLP with simple-hl7 on PORT, acknowledges each message and writes its MSH-10.
import hl7 from "simple-hl7";

const app = hl7.tcp();
app.use((request, response, next) => {
  console.log(String(request.msg.header.getField(8)));
  next();
});
app.use((request, response) => response.end());
app.start(Number(process.argv[2]));
