/**
 * The candidate that is nearest to what was written, where one is near enough to be meant: at most two edits, and no more
 * than a third of the word.
 */
export function nearest(written: string, candidates: Iterable<string>): string | undefined {
  const wanted = normalise(written);
  const limit = Math.min(2, Math.floor(wanted.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, normalise(candidate), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** A hint for people, or "". */
export function didYouMean(written: string, candidates: Iterable<string>): string {
  const match = nearest(written, candidates);
  return match === undefined ? "" : `did you mean "${match}"?`;
}

/** `certsDir`, `certs-dir` and `CERTS_DIR` are all meant as `certs_dir`. */
function normalise(word: string): string {
  return word
    .slice(0, 64)
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toLowerCase();
}

/** Optimal string alignment distance: a swap of two neighbours is one edit. Gives up at `stopAt`. */
function editDistance(a: string, b: string, stopAt: number): number {
  if (Math.abs(a.length - b.length) >= stopAt) return stopAt;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let distance = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, before[j - 2]! + 1);
      }
      current.push(distance);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length]!;
}
