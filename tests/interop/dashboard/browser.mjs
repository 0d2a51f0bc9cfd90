// Chromium at `quarq dashboard`: what it shows, and every action in both roles.
//
//     browser.mjs PLAYWRIGHT CHROMIUM URL OPERATOR_TOKEN VIEWER_TOKEN [FOLDER]
//
// PLAYWRIGHT is the folder of playwright-core, beside which axe-core is. tests/interop/dashboard.cpp has filled the broker.
// With FOLDER, pages are photographed into it, at three widths and in two themes. Prints "ok", or what does not hold and
// ends with 1.
import { readFileSync } from 'node:fs';

import { check, finish, launch, same } from '../chromium.mjs';

const [playwright, chromium, site, operatorToken, viewerToken, folder] = process.argv.slice(2);
const browser = await launch(playwright, chromium);

// A page that reports what a hostile payload or a wrong policy would show.
async function open(token, options = {}) {
  const context = await browser.newContext({ httpCredentials: token ? { username: 'ann', password: token } : undefined, ...options });
  await context.addInitScript(() => {
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (e) => window.violations.push(`${e.violatedDirective} ${e.blockedURI}`));
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  page.wrong = [];
  page.on('pageerror', (e) => page.wrong.push(String(e)));
  page.on('console', (m) => m.type() === 'error' && page.wrong.push(m.text()));
  page.on('dialog', (d) => { page.wrong.push(`a dialog: ${d.message()}`); d.dismiss(); });
  return page;
}

const tile = (page, label) => page.locator('.tile', { hasText: label }).locator('.tile-value');
const go = (page, hash) => page.goto(`${site}#/${hash}`);
const api = (page, path) => page.evaluate(async (p) => (await fetch(p)).json(), `api/${path}`);
const heading = (page, text) => page.getByRole('heading', { level: 1, name: text }).waitFor();

async function overview(page) {
  await go(page, '');
  await heading(page, 'Overview');
  await tile(page, 'queued').waitFor();
  await page.locator('.uplot').first().waitFor();
  await page.getByText('Queue mail has 7 dead jobs.').waitFor();
  same(await page.title(), 'Overview · quarq', 'the title');
  await page.locator('.light-good').waitFor();
}

async function hostile(page) {
  await go(page, 'jobs?queue=mail&state=dead');
  const row = page.locator('tbody tr', { hasText: '<img src=x onerror=' }).first();
  await row.waitFor();
  await row.locator('.lead a').click();
  await page.locator('.job-title', { hasText: '<img src=x onerror="window.hacked=1">' }).waitFor();
  await page.locator('.payload', { hasText: '</script><script>window.hacked=1</script>' }).waitFor();
  await page.locator('.error pre', { hasText: "<svg onload='window.hacked=1'>" }).waitFor();
  await page.locator('.log code', { hasText: '<script>window.hacked=1</script>' }).first().waitFor();
  await page.locator('.progress', { hasText: '30 of 40, 75 %' }).waitFor();
  same(await page.evaluate(() => window.hacked), undefined, 'a payload was executed');
  // And where they are counted together.
  await go(page, 'errors?queue=mail');
  await page.locator('td', { hasText: '<img src=x' }).first().waitFor();
  same(await page.evaluate(() => window.hacked), undefined, 'a payload was executed');
}

async function exactNumbers(page) {
  await go(page, 'jobs?queue=exact');
  await page.locator('tbody tr', { hasText: '18446744073709551615' }).locator('.lead a').click();
  const text = await page.locator('.payload').first().textContent();
  check(text.includes('9007199254740993') && text.includes('18446744073709551615'), `numbers: ${text}`);
  check(!text.includes('hunter2') && text.includes('[redacted]'), `a secret: ${text}`);
}

async function filters(page) {
  await go(page, 'jobs?queue=mail&state=dead');
  await page.getByLabel('Error contains').fill('no greeting');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.waitForURL(/error=no%20greeting/);
  await page.getByText('6 jobs; looked at 7 of 7.').waitFor();
  await page.reload();
  await page.getByText('6 jobs; looked at 7 of 7.').waitFor();
  same(await page.getByLabel('Error contains').inputValue(), 'no greeting', 'the filter after a reload');
}

async function pauseAndResume(page) {
  await go(page, 'queues');
  await page.getByRole('button', { name: 'pause queue idle' }).click();
  await page.getByText('Queue idle is paused.').waitFor();
  await page.getByRole('button', { name: 'resume queue idle' }).waitFor();
  check((await api(page, 'overview')).queues.find((q) => q.name === 'idle').paused, 'the queue is not paused');
  await page.getByRole('button', { name: 'resume queue idle' }).click();
  await page.getByRole('button', { name: 'pause queue idle' }).waitFor();
}

async function cancelOne(page) {
  await go(page, 'jobs?queue=idle&state=deferred');
  await page.locator('tbody tr').first().locator('.lead a').click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.locator('.job-title .state-cancelled').waitFor();
}

async function requeueOne(page) {
  await go(page, 'jobs?queue=mail&state=dead&error=no%20greeting');
  await page.locator('tbody tr').first().locator('.lead a').click();
  await page.locator('.job-title .state-dead').waitFor();
  await page.getByRole('button', { name: 'Requeue' }).click();
  // The queue is paused, so it stays there.
  await page.locator('.job-title .state-queued').waitFor();
}

async function bulk(page) {
  const dead = async () => (await api(page, 'overview')).queues.find((q) => q.name === 'mail').dead;
  await go(page, 'errors?queue=mail');
  await page.locator('tr', { hasText: 'no greeting' }).getByRole('button', { name: 'Requeue' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('5 jobs').first().waitFor();
  await dialog.getByRole('button', { name: 'Keep them' }).click();
  await dialog.waitFor({ state: 'detached' });
  same((await api(page, 'count?queue=mail&state=dead')).count, 6, 'dead after “Keep them”');
  await page.locator('tr', { hasText: 'no greeting' }).getByRole('button', { name: 'Requeue' }).click();
  await dialog.getByRole('button', { name: 'Requeue 5 jobs' }).click();
  await page.getByText('5 jobs requeued.').waitFor();
  await page.waitForFunction(async () => (await (await fetch('api/count?queue=mail&state=dead')).json()).count === 1);
  await go(page, 'jobs?queue=mail&state=queued');
  await page.getByRole('button', { name: 'Cancel all' }).click();
  await dialog.getByRole('button', { name: /^Cancel 6 jobs$/ }).click();
  await page.getByText('6 jobs cancelled.').waitFor();
  await go(page, 'jobs?queue=mail&state=dead');
  await page.getByRole('button', { name: 'Purge all' }).click();
  await dialog.getByRole('button', { name: /^Purge 1 job$/ }).click();
  await page.getByText('1 job purged.').waitFor();
  same(await dead(), 0, 'dead after a purge');
}

async function cron(page) {
  await go(page, 'crons');
  await page.locator('tr', { hasText: 'nightly' }).getByText(/in \d+/).waitFor();
  await page.getByRole('button', { name: 'pause cron job nightly' }).click();
  await page.locator('tr', { hasText: 'nightly' }).getByText('will be skipped').waitFor();
  await page.getByRole('button', { name: 'resume cron job nightly' }).click();
  await page.getByRole('button', { name: 'pause cron job nightly' }).waitFor();
  await page.getByRole('button', { name: 'Run now nightly' }).click();
  await page.locator('.job-title', { hasText: 'cron:nightly' }).waitFor();
  await page.locator('.job-title .state-succeeded').waitFor();
  await go(page, 'workers');
  await page.locator('tr', { hasText: 'cron:nightly' }).waitFor();
}

// Of a job that runs, what it says comes without a reload.
async function liveJob(page) {
  await go(page, 'job?queue=nightly&id=talks');
  await page.locator('.job-title .state-running').waitFor();
  const last = () => page.locator('.log code').last().textContent();
  const before = await last();
  await page.waitForFunction((old) => [...document.querySelectorAll('.log code')].at(-1).textContent !== old, before);
  check(/^line \d+$/.test(await last()), `a line of a log: ${await last()}`);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.locator('.job-title .state-cancelled').waitFor();
  check((await page.locator('.log code').count()) > 0, 'the log of a job that was cancelled');
}

async function changes(page) {
  await go(page, 'audit');
  await page.locator('tr', { hasText: 'run cron' }).waitFor();
  await page.locator('tr', { hasText: 'purge' }).waitFor();
  check((await page.locator('tr', { hasText: 'ann' }).count()) >= 8, 'changes without a name');
}

async function liveUpdates(page) {
  await go(page, '');
  await tile(page, 'queued').waitFor();
  const before = await tile(page, 'queued').textContent();
  const made = await page.evaluate(async () => {
    const answer = await fetch('api/cron', { method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ queue: 'idle', name: 'made-by-hand' }) });
    return answer.status;
  });
  same(made, 200, 'a job for the live page');
  await page.waitForFunction((old) => document.querySelector('.tile-value').textContent !== old, before);
}

async function keyboard(page) {
  await go(page, '');
  await heading(page, 'Overview');
  await page.keyboard.press('g');
  await page.keyboard.press('q');
  await heading(page, 'Queues');
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'detached' });
  await page.keyboard.press('g');
  await page.keyboard.press('j');
  await heading(page, 'Jobs');
  await page.goto(`${site}#/jobs?queue=exact`);
  await page.locator('tbody tr').first().waitFor();
  await page.keyboard.press('j');
  await page.locator('tr.marked').waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.job-title').waitFor();
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.keyboard.press('t');
  same(await page.evaluate(() => document.documentElement.dataset.theme), 'light', 'the theme');
  same(await background(), 'rgb(246, 247, 249)', 'the background in the light theme');
  await page.reload();
  same(await page.evaluate(() => document.documentElement.dataset.theme), 'light', 'the theme after a reload');
  await page.locator('.job-title').waitFor();
  await page.keyboard.press('t');
  same(await page.evaluate(() => document.documentElement.dataset.theme), 'dark', 'the theme after light');
  same(await background(), 'rgb(15, 19, 24)', 'the background in the dark theme');
}

async function viewer(page) {
  for (const where of ['queues', 'crons', 'errors?queue=mail', 'jobs?queue=idle&state=queued']) {
    await go(page, where);
    await page.locator('main h1').waitFor();
    await page.locator('.table, .empty').first().waitFor();
    same(await page.locator('main button:not([type=submit])').count(), 0, `buttons of a viewer at ${where}`);
  }
  for (const [what, body] of [
    ['queue', { queue: 'idle', action: 'pause' }],
    ['job', { queue: 'idle', action: 'cancel', id: 'x' }],
    ['bulk', { queue: 'idle', action: 'cancel', which: { states: ['queued'] } }],
    ['cron', { queue: 'idle', name: 'nightly' }],
  ]) {
    const status = await page.evaluate(async ([where, text]) => {
      const answer = await fetch(`api/${where}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: text });
      return answer.status;
    }, [what, JSON.stringify(body)]);
    same(status, 403, `a viewer's POST of ${what}`);
  }
  page.wrong = page.wrong.filter((text) => !text.includes('403'));
}

const widths = [['wide', 1440, 900], ['middle', 900, 1000], ['phone', 390, 844]];
const everyPage = ['', 'queues', 'jobs?queue=mail&state=dead', 'errors?queue=mail', 'workers', 'crons', 'audit'];

// What keeps people with other eyes or hands from using a page, as far as a program can tell.
const axe = readFileSync(`${playwright}/../axe-core/axe.min.js`, 'utf8');
async function barriers(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
  return found.violations.filter((one) => ['serious', 'critical'].includes(one.impact))
    .map((one) => `${one.id} (${one.nodes.length}): ${one.nodes[0].target.join(' ')}: ${one.nodes[0].any[0]?.message ?? one.help}`);
}

// Nothing sticks out of the page, at any width, and axe finds nothing serious.
async function layouts() {
  for (const theme of ['light', 'dark']) {
    for (const [name, width, height] of widths) {
      const page = await open(operatorToken, { viewport: { width, height }, colorScheme: theme });
      const hashes = [...everyPage];
      await go(page, 'jobs?queue=mail&state=dead');
      const job = await page.locator('tbody tr .lead a').first().getAttribute('href');
      hashes.push(job.replace('#/', ''));
      for (const hash of hashes) {
        await go(page, hash);
        await page.locator('main h1').waitFor();
        await page.locator('.table, .empty, .facts, .tile').first().waitFor();
        if (!hash) await page.locator('.uplot').first().waitFor();
        const out = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        check(out <= 0, `${hash || 'overview'} is ${out} pixels too wide at ${width}`);
        // It takes half a second; colours depend on the theme alone, and the phone has a layout of its own.
        if (name === 'wide' || (name === 'phone' && theme === 'light'))
          same(await barriers(page), [], `what axe finds at ${hash || 'overview'}, ${name} ${theme}`);
        if (folder) await page.screenshot({ path: `${folder}/${name}-${theme}-${hash.split('?')[0] || 'overview'}.png`, fullPage: true });
      }
      same(page.wrong, [], `errors at ${name} ${theme}`);
      await page.context().close();
    }
  }
}

async function run(name, steps, page) {
  for (const step of steps) {
    try {
      await step(page);
    } catch (e) {
      check(false, `${name}, ${step.name}: ${e.message.split('\n').slice(0, 4).join(' | ')}`);
    }
  }
  same(page.wrong, [], `errors of ${name}`);
  same(await page.evaluate(() => window.violations), [], `what the policy had to stop for ${name}`);
}

same((await fetch(site)).status, 401, 'without a token');
await layouts().catch((e) => check(false, `layouts: ${e.message}`));
await run('a viewer', [overview, hostile, exactNumbers, filters, viewer], await open(viewerToken));
await run('an operator', [overview, hostile, exactNumbers, filters, pauseAndResume, cancelOne, requeueOne, bulk, cron, liveJob, changes,
  liveUpdates, keyboard], await open(operatorToken));
await browser.close();
finish();
