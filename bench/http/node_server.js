// GET /users/ID by node's http, on a free port, which it prints as a line.
const http = require("http");

const server = http.createServer((request, response) => {
  const id = Number(request.url.slice("/users/".length));
  const body = JSON.stringify({ id, name: "Ada Lovelace", active: true });
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
  response.end(body);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.on("SIGTERM", () => process.exit(0));
