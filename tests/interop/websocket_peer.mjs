// A WebSocket peer for the tests: node's ws, as a server or as a client. The same as websocket_peer.py.
//
//     websocket_peer.mjs serve ws              prints its port, and echoes; "close 4001 why" makes it close
//     websocket_peer.mjs talk ws URL [deflate] talks to an echo server, and prints "ok"
import { createRequire } from 'node:module';
import assert from 'node:assert/strict';
import { once } from 'node:events';

const { WebSocket, WebSocketServer } = createRequire(import.meta.url)('../../build/node-peers/node_modules/ws');
const [what, , url, deflate] = process.argv.slice(2);
const messages = ['', 'hello', 'ähnlich ☃ 𝄞', 'x'.repeat(125), 'x'.repeat(126), 'y'.repeat(65535), 'z'.repeat(65536),
  Buffer.alloc(0), Buffer.from('00ff'.repeat(5000), 'hex'), 'w'.repeat(500000),
  '{"number": 1, "text": "compressible"}'.repeat(100)];

function serve() {
  const server = new WebSocketServer({
    host: '127.0.0.1', port: 0, maxPayload: 1 << 24, perMessageDeflate: true,
    handleProtocols: (offered) => (offered.has('echo') ? 'echo' : false),
  });
  server.on('listening', () => console.log(server.address().port));
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      const asked = isBinary ? null : /^close (\d+) (.*)$/.exec(data.toString());
      if (asked) socket.close(Number(asked[1]), asked[2]);
      else socket.send(data, { binary: isBinary });
    });
  });
}

async function talk() {
  const socket = new WebSocket(url, ['other', 'echo'], { maxPayload: 1 << 24, perMessageDeflate: deflate === 'deflate' });
  const next = (name) => once(socket, name);
  await next('open');
  assert.equal(socket.protocol, 'echo');
  assert.equal(socket.extensions !== '', deflate === 'deflate');
  for (const message of messages) {
    const answer = next('message');
    socket.send(message);
    const [data, isBinary] = await answer;
    assert.equal(isBinary, typeof message !== 'string');
    assert.deepEqual(data, Buffer.from(message));
  }
  const fragments = next('message');
  socket.send('in ', { fin: false });
  socket.send('three ', { fin: false });
  socket.send('fragments', { fin: true });
  assert.equal((await fragments)[0].toString(), 'in three fragments');
  const pong = next('pong');
  socket.ping('are you there');
  assert.equal((await pong)[0].toString(), 'are you there');
  const closed = next('close');
  socket.close(4002, 'enough');
  assert.equal((await closed)[0], 4002);
  console.log('ok');
}

if (what === 'serve') serve();
else await talk();
