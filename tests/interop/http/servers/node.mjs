// Node's http: GET, HEAD and POST are answered with the body, others with 405. Prints its port.
import http from 'node:http';

const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    if (request.method === 'OPTIONS') return response.writeHead(204, { Allow: 'GET, HEAD, POST, OPTIONS' }).end();
    if (!['GET', 'HEAD', 'POST'].includes(request.method))
      return response.writeHead(405, { Allow: 'GET, HEAD, POST, OPTIONS' }).end();
    response.end(Buffer.concat(parts));
  });
  request.on('error', () => {});
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
