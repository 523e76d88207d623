// Pictures of a report for the documentation: wide and narrow, light and dark.
// node screenshots.mjs PAGE BROWSER FOLDER NAME

import {chromium} from 'playwright-core';

const [file, executablePath, folder, name] = process.argv.slice(2);
const browser = await chromium.launch({executablePath, args: ['--no-sandbox']});
for (const colorScheme of ['light', 'dark']) {
  for (const [width, height] of [[1400, 1750], [390, 1500]]) {
    const page = await browser.newPage({viewport: {width, height}, colorScheme});
    await page.goto(file);
    await page.waitForSelector('#trial-table tbody tr');
    await page.screenshot({path: `${folder}/${name}-${width}-${colorScheme}.png`});
    await page.close();
  }
}
await browser.close();
