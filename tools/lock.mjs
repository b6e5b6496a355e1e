import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** How often a waiter looks again. */
const POLL_MS = 200;

/** The holder touches its lock this often; one that was not touched for STALE_MS belongs to nobody, whoever has its number now. */
const TOUCH_MS = 2_000;
const STALE_MS = 60_000;

/**
 * Runs `action` while this process holds the lock file; others wait. A lock whose process is gone is taken over.
 * The lock is a file made by `link`, which fails where the name exists, so nobody ever sees one without its owner inside.
 */
export async function withLock(file, action) {
  mkdirSync(dirname(file), { recursive: true });
  const mine = `${file}.${process.pid}`;
  const owner = `${process.pid}\n`;
  writeFileSync(mine, owner);
  try {
    for (let told = false; !tryLink(mine, file); ) {
      const holder = read(file);
      if (holder !== undefined && (!alive(Number(holder)) || ageMs(file) > STALE_MS)) {
        takeAway(file, holder);
        continue;
      }
      if (!told) process.stderr.write(`Waiting for process ${String(holder).trim()}, which is setting up\n`);
      told = true;
      await sleep(POLL_MS);
    }
    const touch = setInterval(() => touchFile(file), TOUCH_MS);
    try {
      return await action();
    } finally {
      clearInterval(touch);
      rmSync(file, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

function tryLink(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

/** Removes the lock of a dead process, unless a living one has taken its place between the look and the removal. */
function takeAway(file, holder) {
  const aside = `${file}.dead.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  if (read(aside) !== holder) tryLink(aside, file);
  rmSync(aside, { force: true });
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

function touchFile(file) {
  try {
    utimesSync(file, new Date(), new Date());
  } catch {
    // Taken over after a long stop of this process: the action is idempotent, and there is nothing better to do than go on.
  }
}

function ageMs(file) {
  try {
    return Date.now() - statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return error.code === "EPERM";
  }
}
