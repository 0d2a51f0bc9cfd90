// Chromium as a client of our server: pages, WebSockets, server-sent events, CORS, cookies, ranges.
//
//     browser.mjs PLAYWRIGHT CHROMIUM PORT PORT_OF_ANOTHER_ORIGIN
//
// PLAYWRIGHT is the folder of playwright-core. The first server allows the origin http://localhost:OTHER to use it
// with cookies; the second one allows nobody. Prints "ok", or what does not hold and ends with 1.
import { createHash } from 'node:crypto';
import { check, finish, launch, same } from '../chromium.mjs';

const [playwright, chromium, port, other] = process.argv.slice(2);
const browser = await launch(playwright, chromium);
const context = await browser.newContext();
const site = `http://127.0.0.1:${port}`;

async function pages(page) {
  const answer = await page.goto(`${site}/files/index.html`);
  same(answer.status(), 200, 'the page');
  same(await page.title(), 'Letters', 'its title');
  same(await page.evaluate(() => window.loaded), true, 'its script');
  const again = await page.reload();
  // Asked with If-None-Match; the browser shows its own copy as 200.
  check([200, 304].includes(again.status()), `the page again: ${again.status()}`);
  same((await page.goto(`${site}/files/absent.html`)).status(), 404, 'a page that is absent');
  await page.goto(`${site}/files/index.html`);
}

async function websockets(page) {
  const talked = await page.evaluate(async (url) => {
    const socket = new WebSocket(url, ['other', 'echo']);
    socket.binaryType = 'arraybuffer';
    await new Promise((done, failed) => { socket.onopen = done; socket.onerror = failed; });
    const echo = (data) => new Promise((done) => {
      socket.onmessage = (event) => done(event.data);
      socket.send(data);
    });
    const texts = ['', 'ähnlich ☃ 𝄞', 'x'.repeat(126), 'y'.repeat(70000), 'compressible '.repeat(20000)];
    const equal = [];
    for (const text of texts) equal.push(await echo(text) === text);
    const bytes = new Uint8Array(500000).map((_, i) => i * 7);
    const back = new Uint8Array(await echo(bytes));
    equal.push(back.length === bytes.length && back.every((byte, i) => byte === bytes[i]));
    const closed = new Promise((done) => { socket.onclose = (event) => done([event.code, event.reason, event.wasClean]); });
    socket.send('close 4001');
    return { equal, protocol: socket.protocol, extensions: socket.extensions, closed: await closed };
  }, `ws://127.0.0.1:${port}/live`);
  same(talked.equal, Array(6).fill(true), 'messages come back');
  same(talked.protocol, 'echo', 'the subprotocol');
  check(talked.extensions.startsWith('permessage-deflate'), `extensions: ${talked.extensions}`);
  same(talked.closed, [4001, 'as you like', true], 'closed by the server');
  const own = await page.evaluate(async (url) => {
    const socket = new WebSocket(url);
    await new Promise((done) => { socket.onopen = done; });
    socket.close(4002, 'enough');
    return new Promise((done) => { socket.onclose = (event) => done([event.code, event.reason, event.wasClean]); });
  }, `ws://127.0.0.1:${port}/live`);
  // The answer to a close frame has its code alone.
  same(own, [4002, '', true], 'closed by the browser');
  // localhost is another origin than 127.0.0.1.
  const foreign = (path) => page.evaluate((url) => new Promise((done) => {
    const socket = new WebSocket(url);
    socket.onopen = () => done('open');
    socket.onerror = () => done('refused');
  }), `ws://localhost:${port}${path}`);
  same(await foreign('/live'), 'refused', 'a page of another site');
  same(await foreign('/live/from-anywhere'), 'open', 'a page of another site, which is welcome');
}

async function events(page) {
  const got = await page.evaluate((url) => new Promise((done) => {
    const all = [];
    let opened = 0;
    const source = new EventSource(url);
    source.onopen = () => ++opened;
    source.onerror = () => { if (source.readyState === EventSource.CLOSED) done({ all, opened }); };
    source.addEventListener('tick', (event) => all.push([event.lastEventId, event.data]));
  }), `${site}/events`);
  same(got.all, [1, 2, 3, 4, 5, 6].map((i) => [`${i}`, `event ${i}`]), 'events over three connections');
  same(got.opened, 3, 'connections');
}

async function origins(page) {
  await page.goto(`http://localhost:${other}/`);
  const put = (url) => page.evaluate(async (to) => {
    try {
      const answer = await fetch(to, { method: 'PUT', credentials: 'include', headers: { 'X-Of-The-Page': 'yes' } });
      return await answer.text();
    } catch (error) {
      return `${error}`;
    }
  }, url);
  same(await put(`http://localhost:${port}/value/7`), '7yes', 'after a preflight request that was allowed');
  await page.goto(`http://localhost:${port}/`);
  check((await put(`http://localhost:${other}/value/7`)).startsWith('TypeError'), 'without CORS it must be refused');
}

async function cookies(page) {
  await page.goto(`${site}/set-cookie`);
  same(await page.evaluate(() => document.cookie), '', 'HttpOnly');
  same(await page.evaluate(async (url) => (await fetch(url)).text(), `${site}/cookies`), 'visit=1', 'cookies');
}

async function ranges(page) {
  const part = await page.evaluate(async (url) => {
    const answer = await fetch(url, { headers: { Range: 'bytes=26-51' } });
    return [answer.status, answer.headers.get('Content-Range'), await answer.text()];
  }, `${site}/files/letters`);
  same(part, [206, 'bytes 26-51/2600000', 'abcdefghijklmnopqrstuvwxyz'], 'a range');
  const whole = await page.evaluate(async (url) => (await fetch(url)).text(), `${site}/files/letters`);
  const digest = createHash('sha256').update('abcdefghijklmnopqrstuvwxyz'.repeat(100000)).digest('hex');
  same(createHash('sha256').update(whole).digest('hex'), digest, 'a download');
  // Players ask for what they are about to play: by ranges, first an open one.
  await page.setContent(`<audio preload="metadata" src="${site}/files/tone.wav"></audio>`);
  const seconds = await page.evaluate(() => new Promise((done) => {
    const audio = document.querySelector('audio');
    if (audio.readyState > 0) done(audio.duration);
    audio.onloadedmetadata = () => { audio.currentTime = 50; };
    audio.onseeked = () => done(audio.duration);
    audio.onerror = () => done(`${audio.error.message}`);
  }));
  same(seconds, 60, 'seconds of sound, after seeking');
}

try {
  for (const part of [pages, websockets, events, cookies, ranges, origins]) {
    const page = await context.newPage();
    page.setDefaultTimeout(60000);
    await page.goto(`${site}/`);
    console.log(part.name);
    await part(page);
    await page.close();
  }
} finally {
  await browser.close();
}
finish();
